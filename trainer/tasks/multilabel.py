"""Any number of labels at once: a sigmoid each."""

import functools
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.errors import DataError
from trainer.config import LossConfig
from trainer.tasks.losses import sigmoid_loss
from trainer.tasks.task import Task
from trainer.tasks.weights import label_weights


def read_classes(vocabulary: Sequence[str], config: LabelConfig) -> list[str]:
    """Takes the vocabulary as it is.

    Raises:
        DataError: If there are fewer than two labels.
    """
    if len(vocabulary) < 2:
        raise DataError(
            "task: multilabel needs two labels or more (label.separator is "
            f"{config.separator!r}); the training split has {list(vocabulary)}."
        )
    return list(vocabulary)


def loss(
    labels: tf.Tensor, logits: tf.Tensor, config: LossConfig, weights: np.ndarray | None = None
) -> tf.Tensor:
    """Sum over the labels of each one's cross entropy, in nats.

    The sum, so that each is learned as if it were alone.

    Args:
        labels: `[batch, classes]` float32, 0 or 1.
        logits: The same shape.
        config: Smoothing and focal loss.
        weights: `[2, classes]`, how much it counts that an example lacks a
            label, and that it has it.

    Returns:
        `[batch]` float32.
    """
    losses = sigmoid_loss(labels, logits, config)
    if weights is not None:
        losses *= tf.where(labels > 0, weights[1], weights[0])
    return tf.reduce_sum(losses, axis=-1)


def inform(batches: Iterable[np.ndarray], classes: Sequence[str], config: LossConfig) -> Task:
    """Weighs the labels as the config says; see weights.py."""
    if config.class_weights is None:
        return TASK
    examples, counts = 0, np.zeros(len(classes))
    for labels in batches:
        examples += len(labels)
        counts += labels.sum(axis=0)
    weights = label_weights(config.class_weights, classes, counts, examples)
    return TASK._replace(loss=functools.partial(loss, weights=weights))


def score(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Share of the labels that are rightly given or withheld."""
    right = tf.cast(logits > 0, tf.float32) == labels
    return tf.reduce_mean(tf.cast(right, tf.float32), axis=-1)


def predict(logits: tf.Tensor, classes: Sequence[str], config: LabelConfig) -> dict[str, tf.Tensor]:
    """Gives the labels by the config's threshold, and every probability.

    Returns:
        label: `[batch]` string, the given labels with the separator between
            them; empty where there is none.
        labels: `[batch, classes]` string, the most probable first, empty text
            for those below the threshold.
        classes: `[batch, classes]` string, the same in every row.
        probabilities: `[batch, classes]` float32, in the order of `classes`.
    """
    names = tf.constant(list(classes), tf.string)
    probabilities = tf.sigmoid(logits)
    ordered = tf.argsort(probabilities, axis=-1, direction="DESCENDING", stable=True)
    given = tf.gather(probabilities, ordered, batch_dims=1) >= config.threshold
    labels = tf.where(given, tf.gather(names, ordered), "")
    chosen = tf.ragged.boolean_mask(labels, given)
    return {
        "label": tf.strings.reduce_join(chosen, axis=-1, separator=config.separator),
        "labels": labels,
        "classes": tf.tile(names[tf.newaxis], [tf.shape(probabilities)[0], 1]),
        "probabilities": probabilities,
    }


TASK = Task(
    read_classes=read_classes,
    units=lambda classes: classes,
    label=lambda classes: tf.io.FixedLenFeature([classes], tf.float32),
    is_known=lambda labels: tf.ones([tf.shape(labels)[0]], tf.bool),
    unknown="",  # none: an example may have no label at all
    loss=loss,
    inform=inform,
    score=score,
    score_name="accuracy",
    predict=predict,
)
