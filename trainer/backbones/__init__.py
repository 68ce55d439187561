"""Pretrained backbones: what a handle means, how it is vendored and loaded."""
