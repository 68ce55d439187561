"""Figures that TFMA lacks, or that break it at a label which training never saw.

TFMA finds `Figure` by its name (eval_config.py). Each figure is made of sums
over the examples; a new one is two functions and their line in `FIGURES`.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

# As Keras clips: a probability of zero would make the mean infinite.
_EPSILON = 1e-7


def cross_entropy(label: np.ndarray, prediction: np.ndarray, threshold: float) -> Any:
    """Gives the loss of one example in nats, None where its class is unknown (-1).

    Args:
        label: Number of the class `[1]`, or multi-hot `[classes]`: then the
            mean over the classes.
        prediction: Probabilities `[classes]`.
        threshold: Ignored.
    """
    probability = np.clip(prediction, _EPSILON, 1 - _EPSILON)
    if label.size == prediction.size:
        return -np.mean(label * np.log(probability) + (1 - label) * np.log(1 - probability))
    return None if label.item() < 0 else -np.log(probability[int(label.item())])


def error_terms(label: np.ndarray, prediction: np.ndarray, threshold: float) -> Any:
    """Gives squared error, label and squared label; None for a label that is no number."""
    truth, value = label.item(), prediction.item()
    if not math.isfinite(truth):
        return None
    return np.array([(truth - value) ** 2, truth, truth**2])


def label_counts(label: np.ndarray, prediction: np.ndarray, threshold: float) -> Any:
    """Gives `[3, classes]`: which labels are rightly given, wrongly given, and withheld.

    A label is given from the threshold on, compared as the model does, in float32.
    """
    given, true = prediction >= np.float32(threshold), label > 0
    return np.array([given & true, given & ~true, ~given & true], np.int64)


def _mean(sums: Any, examples: int) -> float:
    return float(sums / examples)


def _root_mean_square(sums: Any, examples: int) -> float:
    return math.sqrt(sums[0] / examples)


def _explained(sums: Any, examples: int) -> float:
    """1 minus squared error by variance; NaN where the labels are all the same."""
    squared_error, total, squares = sums
    spread = squares - total**2 / examples
    return float(1 - squared_error / spread) if spread > 0 else math.nan


def _as_text(sums: Any, examples: int) -> bytes:
    # TFMA subtracts a baseline's arrays, which may have another number of classes.
    return json.dumps(sums.tolist()).encode()


class Sums(NamedTuple):
    """What is kept of the examples so far."""

    terms: Any = 0.0
    examples: int = 0


# By name: what is added up of label, prediction and threshold (None: the
# example does not count), and what is made of the sums and the count.
FIGURES: Mapping[str, tuple[Callable[..., Any], Callable[[Any, int], float | bytes]]] = {
    "loss": (cross_entropy, _mean),
    "rmse": (error_terms, _root_mean_square),
    "r2": (error_terms, _explained),
    "labels": (label_counts, _as_text),
}


class SumUp(beam.CombineFn):
    """Adds up the terms of all examples; NaN where none counts."""

    def __init__(self, key: metric_types.MetricKey, threshold: float, eval_config: Any) -> None:
        """Remembers which figure, and where TFMA has labels and predictions."""
        self._key = key
        self._threshold = threshold
        self._eval_config = eval_config

    def create_accumulator(self) -> Sums:
        """Starts with nothing."""
        return Sums()

    def add_input(self, sums: Sums, element: Any) -> Sums:
        """Adds one example."""
        label, prediction, _ = next(
            metric_util.to_label_prediction_example_weight(
                element, self._eval_config, self._key.model_name, flatten=False
            )
        )
        terms = FIGURES[self._key.name][0](label, prediction, self._threshold)
        return sums if terms is None else Sums(sums.terms + terms, sums.examples + 1)

    def merge_accumulators(self, several: Iterable[Sums]) -> Sums:
        """Adds up what workers have added up."""
        several = list(several)
        return Sums(sum(one.terms for one in several), sum(one.examples for one in several))

    def extract_output(self, sums: Sums) -> dict[metric_types.MetricKey, float | bytes]:
        """Makes the figure of the sums."""
        result = FIGURES[self._key.name][1]
        return {self._key: result(sums.terms, sums.examples) if sums.examples else math.nan}


class Figure(metric_types.Metric):
    """One of `FIGURES`, as TFMA wants it."""

    def __init__(self, name: str, threshold: float = 0.5, code: str = "") -> None:
        """Declares one.

        Args:
            name: A key of `FIGURES`.
            threshold: Probability from which a label is given.
            code: Digest of this file; makes it part of the Evaluator's cache key.
        """
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            name=name,
            threshold=threshold,
            code=code,
        )


def _computations(
    name: str,
    threshold: float,
    code: str,
    eval_config: Any = None,
    model_name: str = "",
    example_weighted: bool = False,
) -> list[metric_types.MetricComputation]:
    # TFMA passes each of these by its name.
    key = metric_types.MetricKey(
        name=name, model_name=model_name, example_weighted=example_weighted
    )
    combiner = SumUp(key, threshold, eval_config)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]
