"""The label of each task, from text to what a loss takes, in the graph.

A new task is a function here and one line in LABELS (and what trainer/tasks
says of it).
"""

from collections.abc import Callable, Mapping

import tensorflow as tf
import tensorflow_transform as tft

from preprocessing.cells import NUMBER
from preprocessing.config import LabelConfig

# Among Transform's assets: the classes, one a line, in the order of the logits.
LABEL_VOCABULARY = "label"


def add_classes(raw: tf.Tensor, config: LabelConfig) -> tf.Tensor:
    """Gives `[batch]` int64, the class's place in the vocabulary, -1 for an unknown one."""
    return tft.compute_and_apply_vocabulary(raw, vocab_filename=LABEL_VOCABULARY)


def add_binary(raw: tf.Tensor, config: LabelConfig) -> tf.Tensor:
    """Gives `[batch]` int64: 1 for the positive label, 0 for any other, -1 for none."""
    # Only for its asset, from which the name of the other class is read.
    tft.vocabulary(raw, vocab_filename=LABEL_VOCABULARY)
    number = tf.cast(raw == config.positive, tf.int64)
    return tf.where(raw == b"", tf.constant(-1, tf.int64), number)


def split_labels(raw: tf.Tensor, config: LabelConfig) -> tf.RaggedTensor:
    """Parts `[batch]` texts into labels, without spaces around them, empty ones left out."""
    parts = tf.strings.split(raw, config.separator)
    parts = tf.ragged.map_flat_values(tf.strings.strip, parts)
    return tf.ragged.boolean_mask(parts, parts != b"")


def add_labels(raw: tf.Tensor, config: LabelConfig) -> tf.Tensor:
    """Gives `[batch, classes]` float32, 1 for each label; unknown labels are left out."""
    numbers = tft.compute_and_apply_vocabulary(
        split_labels(raw, config).to_sparse(), vocab_filename=LABEL_VOCABULARY
    )
    classes = tft.experimental.get_vocabulary_size_by_name(LABEL_VOCABULARY)
    depth = tf.cast(classes, tf.int32)
    numbers = tf.sparse.to_dense(numbers, default_value=-1)
    return tf.reduce_max(
        tf.concat([tf.one_hot(numbers, depth), tf.zeros([tf.shape(raw)[0], 1, depth])], 1), axis=1
    )


def add_value(raw: tf.Tensor, config: LabelConfig) -> tf.Tensor:
    """Gives `[batch]` float32; NaN where there is no number."""
    text = tf.strings.strip(raw)
    return tf.strings.to_number(tf.where(tf.strings.regex_full_match(text, NUMBER), text, "nan"))


LABELS: Mapping[str, Callable[[tf.Tensor, LabelConfig], tf.Tensor]] = {
    "multiclass": add_classes,
    "binary": add_binary,
    "multilabel": add_labels,
    "regression": add_value,
}
