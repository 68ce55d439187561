"""The last blessed model where there is no Resolver: on open-source Kubeflow Pipelines.

Remember notes each model that was blessed as a file in one folder; LastBlessed reads
which one is the baseline of the next. On this machine and on Vertex AI the metadata
know it (pipeline/baseline.py).
"""
