"""Judges a model on the eval split, and blesses it or says why not."""
