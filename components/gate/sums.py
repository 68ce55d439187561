"""Figures as sums over the examples: what each example adds, and what is made of the sums.

figures.py lets TFMA compute them, spread.py how sure they are. A new figure is
two functions and their line in `SUMS`. Imports no TensorFlow.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from preprocessing.config import Task

# As Keras clips: a probability of zero would make the mean infinite.
_EPSILON = 1e-7
# Of the calibration error, as Guo et al. count.
BINS = 15


class Rule(NamedTuple):
    """How predictions are read: the task, and from where on a label is given."""

    task: Task
    threshold: float = 0.5


# What one example adds, from label `[1]` (multilabel: `[classes]`), prediction
# `[classes]` (regression: `[1]`) and rule; None where it does not count.
Terms = Callable[[np.ndarray, np.ndarray, Rule], Any]


def rightness(label: np.ndarray, prediction: np.ndarray, rule: Rule) -> float:
    """Gives the share of an example's labels that are rightly told."""
    if rule.task == "multiclass":
        return float(np.argmax(prediction) == label.item())
    return float(np.mean(_given(prediction, rule) == _true(label, rule)))


def cross_entropy(label: np.ndarray, prediction: np.ndarray, rule: Rule) -> float | None:
    """Gives the loss in nats, None where the class is unknown (-1); multilabel: the mean."""
    probability = np.clip(prediction, _EPSILON, 1 - _EPSILON)
    if rule.task == "multilabel":
        return -np.mean(label * np.log(probability) + (1 - label) * np.log(1 - probability))
    return None if label.item() < 0 else -np.log(probability[int(label.item())])


def errors(label: np.ndarray, prediction: np.ndarray, rule: Rule) -> np.ndarray | None:
    """Gives error, squared error, label and squared label; None for a label that is no number."""
    truth, value = float(label.item()), float(prediction.item())
    if not math.isfinite(truth):
        return None
    return np.array([abs(truth - value), (truth - value) ** 2, truth, truth**2])


def label_counts(label: np.ndarray, prediction: np.ndarray, rule: Rule) -> np.ndarray:
    """Gives `[3, labels]`: which are rightly given, wrongly given, and withheld."""
    given, true = _given(prediction, rule), _true(label, rule)
    return np.array([given & true, given & ~true, ~given & true], np.int64)


def calibration(label: np.ndarray, prediction: np.ndarray, rule: Rule) -> np.ndarray | None:
    """Gives `[3, BINS]`: how many, the sum of their confidences, and how many are true.

    Of a multiclass model counts its first choice, with its probability; an
    example of a class that training never saw is none that it gets right. Of
    the others counts the probability of each label, whether it is given or not.
    """
    if rule.task == "multiclass":
        confidence = np.array([prediction.max()])
        right = np.array([np.argmax(prediction) == label.item()])
    elif rule.task == "binary" and label.item() < 0:
        return None
    else:
        confidence = prediction[1:] if rule.task == "binary" else prediction
        right = _true(label, rule)
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return np.array(
        [np.bincount(bins, one, BINS) for one in (np.ones(len(bins)), confidence, right)]
    )


def _given(prediction: np.ndarray, rule: Rule) -> np.ndarray:
    # Compared as the model does, in float32.
    positive = prediction[1:] if rule.task == "binary" else prediction
    return positive >= np.float32(rule.threshold)


def _true(label: np.ndarray, rule: Rule) -> np.ndarray:
    return label == 1 if rule.task == "binary" else label > 0


def mean(sums: Any, examples: int) -> float:
    """The plain one."""
    return float(sums / examples)


def explained(sums: Any, examples: int) -> float:
    """1 minus squared error by variance; NaN where the labels are all the same."""
    _, squared_error, total, squares = sums
    spread = squares - total**2 / examples
    return float(1 - squared_error / spread) if spread > 0 else math.nan


def precision(sums: Any, examples: int) -> float:
    """Of all labels together; NaN where none is given."""
    right, wrong, _ = np.sum(sums, axis=-1)
    return float(right / (right + wrong)) if right + wrong else math.nan


def recall(sums: Any, examples: int) -> float:
    """Of all labels together; NaN where there is none."""
    right, _, withheld = np.sum(sums, axis=-1)
    return float(right / (right + withheld)) if right + withheld else math.nan


def f1(sums: Any, examples: int) -> float:
    """Of all labels together; NaN where none is given and none is there."""
    right, wrong, withheld = np.sum(sums, axis=-1)
    both = 2 * right + wrong + withheld
    return float(2 * right / both) if both else math.nan


def calibration_error(sums: Any, examples: int) -> float:
    """How far confidence and truth lie apart, a mean over the bins by how much is in them.

    See Naeini et al. 2015, Obtaining Well Calibrated Probabilities Using Bayesian
    Binning (https://doi.org/10.1609/aaai.v29i1.9602), and of multiclass Guo et
    al. 2017, On Calibration of Modern Neural Networks (https://arxiv.org/abs/1706.04599).
    """
    counts, confidence, right = sums
    return float(np.abs(confidence - right).sum() / counts.sum())


def as_text(sums: Any, examples: int) -> bytes:
    """The sums themselves; TFMA would subtract a baseline's arrays, of other classes perhaps."""
    return json.dumps(np.asarray(sums).tolist()).encode()


SUMS: Mapping[str, tuple[Terms, Callable[[Any, int], float | bytes]]] = {
    "accuracy": (rightness, mean),
    "precision": (label_counts, precision),
    "recall": (label_counts, recall),
    "f1": (label_counts, f1),
    "loss": (cross_entropy, mean),
    "ece": (calibration, calibration_error),
    "mae": (errors, lambda sums, examples: mean(sums[0], examples)),
    "mse": (errors, lambda sums, examples: mean(sums[1], examples)),
    "rmse": (errors, lambda sums, examples: math.sqrt(sums[1] / examples)),
    "r2": (errors, explained),
    "labels": (label_counts, as_text),
    "reliability": (calibration, as_text),
}
