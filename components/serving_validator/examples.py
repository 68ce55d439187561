"""Picks the eval examples that a model is tried on, with what the training path says of them."""

import hashlib
import io
import posixpath
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from preprocessing.streams import each_record

PREDICTIONS_FILE = "eval_predictions.npz"
_KEY = "examples"
# Of examples; they are all in memory.
MOST = 10_000
# One for all examples.
SHARED = "classes"


class Trial(NamedTuple):
    """What a model is tried on.

    Attributes:
        serialized: Raw tf.Examples.
        expected: What the training path says of them, by output `[examples, …]`,
            and `classes`, `[1, classes]`.
        known: How many the training path says anything of.
    """

    serialized: list[bytes]
    expected: dict[str, np.ndarray]
    known: int


def read_trial(split: str, model_run: str, limit: int | None) -> Trial:
    """Reads examples and answers.

    Args:
        split: Folder of the eval split's raw examples.
        model_run: Folder of what the Trainer left beside the model.
        limit: How many examples at most, evenly chosen; None for `MOST`.

    Returns:
        What was found. There are no examples where the Trainer left no answers
        to those of this split.
    """
    path = posixpath.join(model_run, PREDICTIONS_FILE)
    if not tf.io.gfile.exists(path):
        return Trial([], {}, 0)
    with tf.io.gfile.GFile(path, "rb") as file, np.load(io.BytesIO(file.read())) as arrays:
        answers = dict(arrays)
    keys = [key.decode() for key in answers.pop(_KEY)]
    count = min(MOST if limit is None else limit, len(keys))
    wanted = {keys[row]: row for row in choose_evenly(len(keys), count)}
    found: list[tuple[int, bytes]] = []
    for serialized in each_record(_read(split).take(len(keys))):
        row = wanted.pop(hashlib.sha256(serialized).hexdigest(), None)
        if row is not None:
            found.append((row, serialized))
    chosen = [row for row, _ in found]
    expected = {k: v if k == SHARED else v[chosen] for k, v in answers.items()}
    return Trial([serialized for _, serialized in found], expected, len(keys))


def choose_evenly(length: int, count: int) -> list[int]:
    """Chooses so many rows of a table of `length`, the first and the last among them."""
    chosen = np.linspace(0, length - 1, count).round().astype(int) if count else np.zeros(0, int)
    return np.unique(chosen).tolist()


def _read(split: str) -> tf.data.Dataset:
    paths: Sequence[str] = sorted(tf.io.gfile.glob(posixpath.join(split, "*")))
    parts = [tf.data.TFRecordDataset(p, "GZIP" if p.endswith(".gz") else "") for p in paths]
    examples = parts[0]
    for part in parts[1:]:
        examples = examples.concatenate(part)
    return examples
