"""How sure the figures are that thresholds are on, computed beside them by TFMA.

The examples are counted in groups, by what the model says of them, so that the
same examples and models always get the same intervals.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.gate.figures import Sums
from components.gate.intervals import Interval, jackknife, wilson
from components.gate.sums import SUMS, Rule
from preprocessing.config import Task

GROUPS = 50
# Behind the metric's name.
SUFFIX = "_spread"
# A share of the examples, whose interval has a width where it is 0 or 1 too.
_SHARES = ("accuracy",)

# By group: how many examples, and their sums by model.
Groups = dict[int, tuple[int, tuple[Sums, ...]]]


class SumUpGroups(beam.CombineFn):
    """Adds up the terms of the examples in groups, the candidate's and the baseline's."""

    def __init__(
        self,
        key: metric_types.MetricKey,
        rule: Rule,
        confidence: float,
        models: list[str],
        config: Any,
    ) -> None:
        """Remembers which metric, and where TFMA has labels and predictions.

        Args:
            key: TFMA's; its name is that of a key of `SUMS` and `SUFFIX`.
            rule: How predictions are read.
            confidence: Of the intervals.
            models: Names of the candidate and, where there is one, the baseline.
            config: TFMA's EvalConfig.
        """
        self._key = key
        self._metric = key.name.removesuffix(SUFFIX)
        self._rule = rule
        self._confidence = confidence
        self._models = models
        self._config = config

    def create_accumulator(self) -> Groups:
        """Starts with nothing."""
        return {}

    def add_input(self, groups: Groups, element: Any) -> Groups:
        """Adds one example."""
        read = [
            next(
                metric_util.to_label_prediction_example_weight(
                    element, self._config, model, flatten=False
                )
            )[:2]
            for model in self._models
        ]
        label, prediction = read[0]
        # Examples that are said the same of must not all come into one group.
        before = sum(count for count, _ in groups.values())
        group = (zlib.crc32(prediction.tobytes() + label.tobytes()) + before) % GROUPS
        count, sums = groups.get(group, (0, (Sums(),) * len(read)))
        terms = SUMS[self._metric][0]
        groups[group] = (
            count + 1,
            tuple(
                one.plus(terms(truth, said, self._rule))
                for one, (truth, said) in zip(sums, read, strict=True)
            ),
        )
        return groups

    def merge_accumulators(self, several: Iterable[Groups]) -> Groups:
        """Adds up what workers have added up."""
        merged: Groups = {}
        for groups in several:
            for group, (count, sums) in groups.items():
                before, others = merged.get(group, (0, (Sums(),) * len(sums)))
                added = tuple(
                    Sums(one.terms + two.terms, one.examples + two.examples)
                    for one, two in zip(others, sums, strict=True)
                )
                merged[group] = before + count, added
        return merged

    def extract_output(self, groups: Groups) -> dict[metric_types.MetricKey, bytes]:
        """Makes the intervals, as JSON."""
        intervals = make_intervals(groups, self._metric, self._confidence)
        return {self._key: json.dumps(intervals).encode()}


def make_intervals(
    groups: Groups, metric: str, confidence: float
) -> tuple[Interval | None, Interval | None]:
    """Gives the intervals of a figure, and of its difference from the baseline's.

    Args:
        groups: With the candidate's sums and, where it is compared, the baseline's.
        metric: A key of `SUMS`.
        confidence: Such as 0.95.

    Returns:
        Both; None where there is none.
    """
    counts = np.array([count for count, _ in groups.values()])
    models = [
        _Column(sums, metric) for sums in zip(*(sums for _, sums in groups.values()), strict=True)
    ]
    examples = int(models[0].examples.sum())
    if metric in _SHARES and examples:
        value: Interval | None = wilson(float(models[0].terms.sum()), examples, confidence)
    else:
        value = jackknife(counts, models[0], confidence)
    if len(models) == 1:
        return value, None
    candidate, baseline = models
    return value, jackknife(counts, lambda kept: candidate(kept) - baseline(kept), confidence)


class _Column:
    """One model's sums in all groups; gives the figure of some of them."""

    def __init__(self, sums: Sequence[Sums], metric: str) -> None:
        self.examples = np.array([one.examples for one in sums])
        self.terms = np.stack(np.broadcast_arrays(*(one.terms for one in sums)))
        self._figure = SUMS[metric][1]

    def __call__(self, kept: np.ndarray) -> float:
        examples = int(self.examples[kept].sum())
        return float(self._figure(self.terms[kept].sum(axis=0), examples)) if examples else np.nan


class Spread(metric_types.Metric):
    """The intervals of one metric of the candidate, as TFMA wants it."""

    def __init__(
        self,
        name: str,
        task: Task = "multiclass",
        threshold: float = 0.5,
        confidence: float = 0.95,
        code: str = "",
    ) -> None:
        """Declares one.

        Args:
            name: A key of `SUMS` and `SUFFIX`.
            task: Of the model.
            threshold: Probability from which a label is given.
            confidence: Of the intervals.
            code: Digest of this code; makes it part of the Evaluator's cache key.
        """
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            name=name,
            task=task,
            threshold=threshold,
            confidence=confidence,
            code=code,
        )


def _computations(
    name: str,
    task: Task,
    threshold: float,
    confidence: float,
    code: str,
    eval_config: Any = None,
    model_name: str = "",
    example_weighted: bool = False,
) -> list[metric_types.MetricComputation]:
    # TFMA passes each of these by its name, once for each model.
    baselines = [one.name for one in eval_config.model_specs if one.is_baseline]
    if model_name in baselines:
        return []
    key = metric_types.MetricKey(
        name=name, model_name=model_name, example_weighted=example_weighted
    )
    models = [model_name, *baselines]
    combiner = SumUpGroups(key, Rule(task, threshold), confidence, models, eval_config)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]
