"""Whether an example has the positive label: one logit and a sigmoid."""

from collections.abc import Sequence

import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.errors import DataError, explain
from trainer.config import LossConfig
from trainer.tasks.task import Task


def read_classes(vocabulary: Sequence[str], config: LabelConfig) -> list[str]:
    """Puts the other label first and the positive one second.

    Raises:
        DataError: If training has not exactly these two labels.
    """
    others = [name for name in vocabulary if name != config.positive]
    if len(others) != 1 or len(vocabulary) != 2:
        raise DataError(
            explain(
                "task: binary needs two labels in the training split, one of them "
                f"label.positive ({config.positive!r}).",
                sorted(vocabulary),
            )
        )
    return [others[0], str(config.positive)]


def loss(labels: tf.Tensor, logits: tf.Tensor, config: LossConfig) -> tf.Tensor:
    """Cross entropy of `[batch]` 0 or 1 and `[batch, 1]` logits, in nats; focal as asked."""
    targets = tf.cast(labels, tf.float32)[:, tf.newaxis]
    return tf.reduce_sum(sigmoid_loss(targets, logits, config), axis=-1)


def sigmoid_loss(targets: tf.Tensor, logits: tf.Tensor, config: LossConfig) -> tf.Tensor:
    """Cross entropy of each output by itself.

    Args:
        targets: `[batch, outputs]` float32, 0 or 1.
        logits: The same shape.
        config: Smoothing and focal loss.

    Returns:
        `[batch, outputs]` float32, in nats.
    """
    targets = targets * (1 - config.label_smoothing) + config.label_smoothing / 2
    losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
    if config.focal_gamma:
        probabilities = tf.sigmoid(logits)
        missed = targets * (1 - probabilities) + (1 - targets) * probabilities
        losses *= missed**config.focal_gamma
    return losses


def score(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """1 where the more probable label is the right one."""
    return tf.cast(tf.cast(logits[:, 0] > 0, tf.int64) == labels, tf.float32)


def predict(logits: tf.Tensor, classes: Sequence[str], config: LabelConfig) -> dict[str, tf.Tensor]:
    """Gives the label by the config's threshold, and both probabilities.

    Returns:
        label: `[batch]` string, the positive label from the threshold on.
        score: `[batch]` float32, the positive label's probability.
        classes: `[batch, 2]` string, the positive label second.
        probabilities: `[batch, 2]` float32, in the order of `classes`.
    """
    names = tf.constant(list(classes), tf.string)
    positive = tf.sigmoid(logits[:, 0])
    return {
        "label": tf.gather(names, tf.cast(positive >= config.threshold, tf.int32)),
        "score": positive,
        "classes": tf.tile(names[tf.newaxis], [tf.shape(positive)[0], 1]),
        "probabilities": tf.stack([1 - positive, positive], axis=-1),
    }


TASK = Task(
    read_classes=read_classes,
    units=lambda classes: 1,
    label=lambda classes: tf.io.FixedLenFeature([], tf.int64),
    is_known=lambda labels: labels >= 0,
    loss=loss,
    score=score,
    score_name="accuracy",
    predict=predict,
)
