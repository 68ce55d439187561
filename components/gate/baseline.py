"""Why the last blessed model cannot be compared with, in words.

What it was trained for is read beside it, before anything is run. Whether it
can be loaded and takes today's examples is only tried once an evaluation with
it has failed: loading a model twice costs more than the rest of the gate.
"""

import posixpath
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.errors import DataError
from preprocessing.model_info import read_model_info

_LONGEST = 200
_NO_REASONS = ("Graph execution error", "Detected at node", "<stack", "File ", "[[", "During ")


def find_misfit(model: str, label: LabelConfig) -> str | None:
    """Says what can be seen without loading it.

    Args:
        model: Folder of the last blessed model's SavedModel.
        label: The candidate's.

    Returns:
        What is wrong; None where nothing is. Another number of classes is not:
        each model is judged by its own, and an example of a class that it does
        not know is one that it gets wrong.
    """
    if not tf.io.gfile.isdir(model):
        return "its folder is gone"
    if not tf.io.gfile.exists(posixpath.join(model, "saved_model.pb")):
        return "its folder has no saved_model.pb"
    try:
        before = read_model_info(model).label
    except DataError:
        # It may have been exported before models said what they are.
        return None
    for key in ("task", "name", "positive"):
        was, now = getattr(before, key), getattr(label, key)
        if was != now:
            return f"its label.{key} is {was!r}, and this model's {now!r}"
    return None


def find_fault(
    model: str, examples: Sequence[bytes], signatures: Sequence[str], output: str
) -> str | None:
    """Loads it and calls it.

    Args:
        model: Folder of the SavedModel.
        examples: A few serialized tf.Examples of the eval split.
        signatures: Names of those that it must have, the one that predicts first.
        output: What that one must give.

    Returns:
        What is wrong; None where nothing is.
    """
    try:
        loaded = tf.saved_model.load(model)
    except Exception as error:
        return f"it cannot be loaded: {_first_line(error)}"
    outputs: dict[str, Any] = {}
    for name in reversed(signatures):
        if name not in loaded.signatures:
            return f"it has no signature {name!r}, only {sorted(loaded.signatures)}"
        try:
            outputs = loaded.signatures[name](examples=tf.constant(examples, tf.string))
        except Exception as error:
            return f"its signature {name!r} does not take these examples: {_first_line(error)}"
    if output not in outputs:
        return f"its signature {signatures[0]!r} gives no {output!r}, only {sorted(outputs)}"
    return None


def _first_line(error: BaseException) -> str:
    """What TensorFlow has to say, without where in its graph it says so."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith(_NO_REASONS)]
    text = telling[0] if telling else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
