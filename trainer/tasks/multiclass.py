"""One of several classes: softmax and cross entropy."""

import functools
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.errors import DataError
from trainer.config import LossConfig
from trainer.tasks.losses import softmax_loss
from trainer.tasks.task import Task
from trainer.tasks.weights import class_weights, count_classes


def read_classes(vocabulary: Sequence[str], config: LabelConfig) -> list[str]:
    """Takes the vocabulary as it is.

    Raises:
        DataError: If there are fewer than two classes.
    """
    if len(vocabulary) < 2:
        raise DataError(
            f"A classifier needs two classes or more; the training split has {list(vocabulary)}."
        )
    return list(vocabulary)


def loss(
    labels: tf.Tensor, logits: tf.Tensor, config: LossConfig, weights: np.ndarray | None = None
) -> tf.Tensor:
    """Cross entropy of `[batch]` class ids and `[batch, classes]` logits, in nats.

    `weights`, `[classes]`, say how much an example of each class counts.
    """
    losses = softmax_loss(tf.one_hot(labels, logits.shape[-1]), logits, config)
    return losses if weights is None else losses * tf.gather(tf.constant(weights), labels)


def inform(batches: Iterable[np.ndarray], classes: Sequence[str], config: LossConfig) -> Task:
    """Weighs the classes as the config says; see weights.py."""
    if config.class_weights is None:
        return TASK
    counts = count_classes(batches, len(classes))
    weights = class_weights(config.class_weights, classes, counts)
    return TASK._replace(loss=functools.partial(loss, weights=weights))


def score(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """1 where the likeliest class is the right one."""
    return tf.cast(tf.argmax(logits, axis=-1) == labels, tf.float32)


def predict(logits: tf.Tensor, classes: Sequence[str], config: LabelConfig) -> dict[str, tf.Tensor]:
    """Gives the likeliest class and every probability.

    Returns:
        label: `[batch]` string, the most probable class.
        score: `[batch]` float32, its probability.
        classes: `[batch, classes]` string, the same in every row.
        probabilities: `[batch, classes]` float32, in the order of `classes`.
    """
    names = tf.constant(list(classes), tf.string)
    probabilities = tf.nn.softmax(logits)
    return {
        "label": tf.gather(names, tf.argmax(probabilities, axis=-1)),
        "score": tf.reduce_max(probabilities, axis=-1),
        "classes": tf.tile(names[tf.newaxis], [tf.shape(probabilities)[0], 1]),
        "probabilities": probabilities,
    }


TASK = Task(
    read_classes=read_classes,
    units=lambda classes: classes,
    label=lambda classes: tf.io.FixedLenFeature([], tf.int64),
    is_known=lambda labels: labels >= 0,
    unknown="the training split lacks their class",
    loss=loss,
    inform=inform,
    score=score,
    score_name="accuracy",
    predict=predict,
)
