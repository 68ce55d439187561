"""Trains a head on feature vectors and exports the whole model."""
