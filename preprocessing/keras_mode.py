"""Which Keras this process means: one rule, checked before anything is built.

Hub layers, Transform's layer and our heads are Keras 2. Which Keras `tf.keras`
is depends on the environment at the moment TensorFlow is imported, so every
entry point that starts Python sets the variable and calls `check_legacy_keras`.
Imports no TensorFlow.
"""

import os

from preprocessing.errors import UsageError

VARIABLE = "TF_USE_LEGACY_KERAS"

# What TensorFlow itself takes for "yes".
ACCEPTED = ("1", "true", "True")


def check_legacy_keras() -> None:
    """Checks that Keras 2 was asked for before Python started.

    Raises:
        UsageError: If the variable is unset or holds anything that TensorFlow
            does not take for yes; the message says exactly what to set.
    """
    value = os.environ.get(VARIABLE)
    if value in ACCEPTED:
        return
    found = "not set" if value is None else f"{VARIABLE}={value}"
    raise UsageError(
        "TensorFlow would use Keras 3, which hub layers and Transform's layer cannot work with.\n"
        f"  Received: {found}\n"
        f"  Set it before Python starts: export {VARIABLE}=1\n"
        "  See: graft doctor"
    )
