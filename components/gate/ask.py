"""What a model says of the examples whose answers nobody noted.

After new data came in, the last blessed model has notes of all but the new
examples; asking it for these alone spares a pass through its backbones.
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

import numpy as np
import tensorflow as tf

from components.gate.answers import Answers, read_raw
from components.gate.eval_config import LABELS_SIGNATURE

_BATCH = 32


def complete(
    answers: Answers,
    files: Sequence[str],
    keys: Sequence[str],
    model: str,
    signature: str,
    output: str,
    label: str,
) -> tuple[Answers, int] | None:
    """Asks a model for what is missing, where that is less than what is there.

    Args:
        answers: What was noted.
        files: TFRecord files of the raw examples.
        keys: Of each, as `read_keys` gives them.
        model: Folder of the SavedModel.
        signature: The one that predicts.
        output: What predictions are called.
        label: What the label is called among the model's transformed labels.

    Returns:
        The answers to all examples, and how many were asked for; None where
        too many are missing.
    """
    missing = set(keys) - answers.rows.keys()
    if not missing:
        return answers, 0
    if len(missing) > len(answers.rows):
        return None
    loaded = tf.saved_model.load(model)
    parts = [(answers.predictions, answers.labels)]
    rows = dict(answers.rows)
    examples = _find(files, missing)
    while batch := list(itertools.islice(examples, _BATCH)):
        parts.append(_ask(loaded, [raw for _, raw in batch], signature, output, label))
        rows |= {key: len(rows) + place for place, (key, _) in enumerate(batch)}
    predictions, labels = (np.concatenate(one) for one in zip(*parts, strict=True))
    return Answers(rows, predictions, labels), len(missing)


def _find(files: Sequence[str], wanted: Set[str]) -> Iterator[tuple[str, bytes]]:
    """Each of these examples once, by its SHA-256 in hex."""
    left = set(wanted)
    for raw in read_raw(files):
        key = hashlib.sha256(raw).hexdigest()
        if key in left:
            left.remove(key)
            yield key, raw


def _ask(
    model: Any, examples: Iterable[bytes], signature: str, output: str, label: str
) -> tuple[np.ndarray, np.ndarray]:
    given = tf.constant(examples, tf.string)
    said = model.signatures[signature](examples=given)[output]
    return said.numpy(), model.signatures[LABELS_SIGNATURE](examples=given)[label].numpy()
