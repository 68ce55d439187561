"""Whether an example has the positive label: one logit and a sigmoid."""

import functools
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.errors import DataError, explain
from trainer.config import LossConfig
from trainer.tasks.losses import sigmoid_loss
from trainer.tasks.task import Task
from trainer.tasks.weights import class_weights, count_classes


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


def loss(
    labels: tf.Tensor, logits: tf.Tensor, config: LossConfig, weights: np.ndarray | None = None
) -> tf.Tensor:
    """Cross entropy of `[batch]` 0 or 1 and `[batch, 1]` logits, in nats.

    `weights`, `[2]`, say how much an example of each class counts.
    """
    losses = sigmoid_loss(tf.cast(labels, tf.float32), logits[:, 0], config)
    return losses if weights is None else losses * tf.gather(tf.constant(weights), labels)


def inform(batches: Iterable[np.ndarray], classes: Sequence[str], config: LossConfig) -> Task:
    """Weighs the classes as the config says; see weights.py."""
    if config.class_weights is None:
        return TASK
    counts = count_classes(batches, len(classes))
    weights = class_weights(config.class_weights, classes, counts)
    return TASK._replace(loss=functools.partial(loss, weights=weights))


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
    unknown="they have no label",
    loss=loss,
    inform=inform,
    score=score,
    score_name="accuracy",
    predict=predict,
)
