"""Whether a signature answers as the training path did."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from preprocessing.config import LabelConfig

LABELS = ("label", "label_id")


class Difference(NamedTuple):
    """How far the answers of a signature are from those of the training path.

    Attributes:
        compared: Names of the outputs that both have.
        largest: Between two numbers; of a number above 1 in shares of it.
        other_labels: Examples that are labelled otherwise.
        classes: Whether the class names stand in the same order.
    """

    compared: tuple[str, ...]
    largest: float
    other_labels: int
    classes: bool


def compare(
    given: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    label: LabelConfig,
    tolerance: float,
) -> Difference:
    """Compares two sets of answers to the same examples.

    A label that differs is excused where two answers are as good as equally
    right: the training path's own probabilities lie within twice the tolerance.

    Args:
        given: A signature's outputs by name, `[examples, …]`.
        expected: The training path's.
        label: Says when a label is given.
        tolerance: Up to which numbers count as equal.

    Returns:
        The differences.
    """
    both = [name for name in given if name in expected]
    numbers = [name for name in both if np.issubdtype(expected[name].dtype, np.floating)]
    largest = max((_far(given[name], expected[name]) for name in numbers), default=0.0)
    wrong = np.zeros(len(next(iter(expected.values()))), bool)
    for name in LABELS:
        if name in both:
            other = np.asarray(given[name] != expected[name])
            wrong |= other.reshape(len(other), -1).any(axis=1)
    if "label" in both and "probabilities" in expected:
        wrong &= ~_ties(expected["probabilities"], label, tolerance)
    same = "classes" not in both or bool(np.all(given["classes"] == expected["classes"]))
    return Difference(tuple(both), largest, int(wrong.sum()), same)


def _far(given: np.ndarray, expected: np.ndarray) -> float:
    if given.shape != expected.shape:
        return float("inf")
    far = np.abs(given - expected) / np.maximum(1.0, np.abs(expected))
    # What both cannot say is refused elsewhere, as not finite.
    return float(np.max(np.where(np.isnan(far), np.inf, far), initial=0.0))


def _ties(probabilities: np.ndarray, label: LabelConfig, tolerance: float) -> np.ndarray:
    """Of each example, whether rounding alone may decide its label."""
    if label.task == "multiclass":
        first, second = np.sort(probabilities, axis=1)[:, :-3:-1].T
        return first - second <= 2 * tolerance
    decisive = probabilities[:, 1:] if label.task == "binary" else probabilities
    return (np.abs(decisive - label.threshold) <= 2 * tolerance).any(axis=1)
