"""How good some outputs are, by the task's main metric; plain arithmetic.

The gate's own figures come from TFMA; these are the same ones, of outputs that
TFMA cannot have made. A new task is a function here and a line in METRICS.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from preprocessing.config import Task


def accuracy_of_classes(outputs: np.ndarray, labels: np.ndarray, threshold: float) -> float:
    """Share of `[batch]` class ids that have the largest of `[batch, classes]`."""
    return float(np.mean(outputs.argmax(axis=1) == labels))


def accuracy_of_binary(outputs: np.ndarray, labels: np.ndarray, threshold: float) -> float:
    """Share of `[batch]` 0 or 1 on whose side of the threshold `[batch, 2]` lie."""
    return float(np.mean((outputs[:, 1] >= threshold) == labels))


def f1(outputs: np.ndarray, labels: np.ndarray, threshold: float) -> float:
    """F1 of all labels together, `[batch, classes]` both; 0 where none is given rightly."""
    given = outputs >= threshold
    right = int(np.sum(given & (labels > 0)))
    both = int(np.sum(given)) + int(np.sum(labels > 0))
    return 2 * right / both if both else 0.0


def mean_absolute_error(outputs: np.ndarray, labels: np.ndarray, threshold: float) -> float:
    """Mean distance of `[batch]` numbers, those without a label left out."""
    known = np.isfinite(labels)
    return float(np.mean(np.abs(outputs[known] - labels[known])))


class Metric(NamedTuple):
    """How a task is judged.

    Attributes:
        name: As in the config and the summary.
        figure: From outputs, labels (as the loss takes them) and the label's
            threshold to the value.
        is_error: Whether less is better; a loss is then a share of the value.
    """

    name: str
    figure: Callable[[np.ndarray, np.ndarray, float], float]
    is_error: bool = False

    def loss(self, value: float, reference: float) -> float:
        """How much worse a value is than the reference; below zero where it is better."""
        if self.is_error:
            return (value - reference) / reference if reference else value and math.inf
        return reference - value


METRICS: Mapping[Task, Metric] = {
    "multiclass": Metric("accuracy", accuracy_of_classes),
    "binary": Metric("accuracy", accuracy_of_binary),
    "multilabel": Metric("f1", f1),
    "regression": Metric("mae", mean_absolute_error, is_error=True),
}
