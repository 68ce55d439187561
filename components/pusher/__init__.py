"""Puts a blessed model where TF Serving watches, whole or not at all."""
