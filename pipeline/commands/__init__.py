"""The commands of `graft` that are answered here: a module each, named after it.

Importing one imports no TensorFlow and no config; cli.py adds each to `graft`.
"""
