"""The words of `graft` that handle a model which has been pushed, one a file.

Importing a command imports no TensorFlow; pipeline/cli.py adds each to `graft`.
"""
