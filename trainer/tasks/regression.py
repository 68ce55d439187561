"""A number: squared error."""

from collections.abc import Sequence

import tensorflow as tf

from preprocessing.config import LabelConfig
from trainer.config import LossConfig
from trainer.tasks.task import Task


def loss(labels: tf.Tensor, logits: tf.Tensor, config: LossConfig) -> tf.Tensor:
    """Squared error of `[batch]` numbers and `[batch, 1]` outputs."""
    return tf.square(labels - logits[:, 0])


def score(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The absolute error, negated, so that higher is better."""
    return -tf.abs(labels - logits[:, 0])


def predict(logits: tf.Tensor, classes: Sequence[str], config: LabelConfig) -> dict[str, tf.Tensor]:
    """Gives the number.

    Returns:
        value: `[batch]` float32, in the label's own unit.
    """
    return {"value": logits[:, 0]}


TASK = Task(
    read_classes=lambda vocabulary, config: [],
    units=lambda classes: 1,
    label=lambda classes: tf.io.FixedLenFeature([], tf.float32),
    is_known=tf.math.is_finite,
    loss=loss,
    score=score,
    score_name="negative_absolute_error",
    predict=predict,
)
