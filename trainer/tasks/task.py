"""What every task says of itself; the four are beside this file."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from preprocessing.config import LabelConfig
from trainer.config import LossConfig


class Task(NamedTuple):
    """One kind of thing to learn.

    Labels are what Transform makes of the label's column (preprocessing/label.py).

    Attributes:
        read_classes: From Transform's vocabulary and the label's config to the
            class names in the order of the outputs; none for numbers.
        units: From the number of classes to the number of logits.
        label: From the number of classes to how one example's label is stored.
        is_known: From labels `[batch, …]` to `[batch]` bool: whether training
            can learn from the example.
        unknown: What is wrong with a label that is not known.
        loss: From labels, logits `[batch, units]` float32 and config to the
            loss of each example `[batch]`.
        inform: From batches of known training labels `[batch, …]`, read only
            where needed, class names and config to the same task with a loss
            that knows what the labels are like: class weights, a number's unit.
        score: From labels and logits to `[batch]` float32, whose mean is what
            people look at: higher is better.
        score_name: How the score is called.
        predict: From logits, class names and the label's config to what is
            served, by name.
        label_unit: Numbers: mean and deviation of the training labels, which
            the head starts from (heads.py).
    """

    read_classes: Callable[[Sequence[str], LabelConfig], list[str]]
    units: Callable[[int], int]
    label: Callable[[int], tf.io.FixedLenFeature]
    is_known: Callable[[tf.Tensor], tf.Tensor]
    unknown: str
    loss: Callable[[tf.Tensor, tf.Tensor, LossConfig], tf.Tensor]
    inform: Callable[[Iterable[np.ndarray], Sequence[str], LossConfig], "Task"]
    score: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    score_name: str
    predict: Callable[[tf.Tensor, Sequence[str], LabelConfig], dict[str, tf.Tensor]]
    label_unit: tuple[float, float] | None = None
