"""Compiles the pipeline for Vertex AI and Kubeflow: spec, submit file, what they refuse."""
