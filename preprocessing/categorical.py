"""Words of a set: their number in the vocabulary of the training examples, in the graph."""

import tensorflow as tf
import tensorflow_transform as tft

from preprocessing.cells import CONTROLS, SPACES
from preprocessing.config import CategoricalFeature
from preprocessing.inputs import ImageInput

MISSING = b""
# No word of the data can hold it: spaces at the ends are taken off.
_ABSENT = " missing "


def vocabulary_name(feature: str) -> str:
    """Names the vocabulary of a feature among Transform's assets."""
    return f"{feature}_words"


def add_category(
    name: str, raw: tf.Tensor, feature: CategoricalFeature, wanted: ImageInput | None
) -> dict[str, tf.Tensor]:
    """Adds a category's part of the transform graph; see kinds.py.

    A word with a line break counts as unknown: the vocabulary is a file of lines.

    Returns:
        `[batch]` int64: the word's place in the vocabulary, the commonest
        first, or behind the vocabulary a bucket for unknown words by hash.
    """
    words = _stripped(raw)
    default = _ABSENT if feature.default is None else feature.default
    words = tf.where(words == MISSING, default, words)
    number = tft.compute_and_apply_vocabulary(
        words,
        top_k=feature.top_k,
        frequency_threshold=feature.min_count if feature.min_count > 1 else None,
        num_oov_buckets=feature.oov_buckets,
        vocab_filename=vocabulary_name(name),
    )
    return {name: number}


def is_missing(raw: tf.Tensor) -> tf.Tensor:
    """Tells which of `[batch]` words are missing."""
    return _stripped(raw) == MISSING


def _stripped(raw: tf.Tensor) -> tf.Tensor:
    """Takes off what ingest takes off: white space, and signs that are none."""
    ends = f"[{SPACES}{CONTROLS}]+"
    return tf.strings.regex_replace(raw, f"^{ends}|{ends}$", "")
