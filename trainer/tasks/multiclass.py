"""One of several classes: softmax and cross entropy."""

from collections.abc import Sequence

import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.errors import DataError
from trainer.config import LossConfig
from trainer.tasks.task import Task


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


def loss(labels: tf.Tensor, logits: tf.Tensor, config: LossConfig) -> tf.Tensor:
    """Cross entropy of `[batch]` class ids and `[batch, classes]` logits, in nats.

    With `focal_gamma` each example counts less the surer the model is of it
    already (Lin et al. 2017, https://arxiv.org/abs/1708.02002).
    """
    classes = logits.shape[-1]
    share = config.label_smoothing
    targets = tf.one_hot(labels, classes) * (1 - share) + share / classes
    log_probabilities = tf.nn.log_softmax(logits)
    if config.focal_gamma:
        log_probabilities *= (1 - tf.exp(log_probabilities)) ** config.focal_gamma
    return -tf.reduce_sum(targets * log_probabilities, axis=-1)


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
    loss=loss,
    score=score,
    score_name="accuracy",
    predict=predict,
)
