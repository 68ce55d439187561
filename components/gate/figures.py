"""Figures that TFMA lacks, or that break it at a label which training never saw.

TFMA finds `Figure` by its name (eval_config.py); what it computes is said in
sums.py.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.gate.sums import SUMS, Rule
from preprocessing.config import Task


class Sums(NamedTuple):
    """What is kept of the examples so far."""

    terms: Any = 0.0
    examples: int = 0

    def plus(self, terms: Any) -> "Sums":
        """With one example more, unless it does not count."""
        return self if terms is None else Sums(self.terms + terms, self.examples + 1)


class SumUp(beam.CombineFn):
    """Adds up the terms of all examples; NaN where none counts."""

    def __init__(self, key: metric_types.MetricKey, rule: Rule, eval_config: Any) -> None:
        """Remembers which figure, and where TFMA has labels and predictions."""
        self._key = key
        self._rule = rule
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
        return sums.plus(SUMS[self._key.name][0](label, prediction, self._rule))

    def merge_accumulators(self, several: Iterable[Sums]) -> Sums:
        """Adds up what workers have added up."""
        several = list(several)
        return Sums(sum(one.terms for one in several), sum(one.examples for one in several))

    def extract_output(self, sums: Sums) -> dict[metric_types.MetricKey, float | bytes]:
        """Makes the figure of the sums."""
        result = SUMS[self._key.name][1]
        return {self._key: result(sums.terms, sums.examples) if sums.examples else math.nan}


class Figure(metric_types.Metric):
    """One of `SUMS`, as TFMA wants it."""

    def __init__(
        self, name: str, task: Task = "multiclass", threshold: float = 0.5, code: str = ""
    ) -> None:
        """Declares one.

        Args:
            name: A key of `SUMS`.
            task: Of the model.
            threshold: Probability from which a label is given.
            code: Digest of this code; makes it part of the Evaluator's cache key.
        """
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            name=name,
            task=task,
            threshold=threshold,
            code=code,
        )


def _computations(
    name: str,
    task: Task,
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
    combiner = SumUp(key, Rule(task, threshold), eval_config)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]
