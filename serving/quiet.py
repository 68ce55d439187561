"""Keeps from the terminal what TensorFlow and others say as they are imported."""

import os
import sys
import warnings


def silence_imports() -> None:
    """Call it before TensorFlow is imported; what the user has set stays."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
