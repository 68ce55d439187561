"""When a model is good enough to be pushed; imports no TensorFlow.

A new metric is a `Metric` in `METRICS` and its name in `MetricName`;
eval_config.py says how it is computed.
"""

import math
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from preprocessing.config import Record, Task

MetricName = Literal[
    "accuracy", "auc", "precision", "recall", "f1", "loss", "mae", "rmse", "mse", "r2"
]


class Metric(NamedTuple):
    """A figure that a threshold can be set on.

    Attributes:
        name: As in the config and in summary.json.
        title: Above a column of figures.
        meaning: In words.
        tasks: That have it.
        higher_is_better: Whether it grows with a better model.
        smallest: The least that it can be.
        largest: The most that it can be.
        relative: Whether it has the label's unit, so that a baseline is
            compared by a share of its figure and not by a difference.
        on_demand: Computed only where a threshold names it.
    """

    name: MetricName
    title: str
    meaning: str
    tasks: tuple[Task, ...]
    higher_is_better: bool = True
    smallest: float = 0.0
    largest: float = 1.0
    relative: bool = False
    on_demand: bool = False


_CLASSIFIERS: tuple[Task, ...] = ("multiclass", "binary", "multilabel")
_THRESHOLDED: tuple[Task, ...] = ("binary", "multilabel")
_NUMBERS: tuple[Task, ...] = ("regression",)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "Accuracy", "share of labels that are rightly told", _CLASSIFIERS),
        Metric("auc", "AUC", "area under the ROC curve, the classes taken together", _CLASSIFIERS),
        Metric("precision", "Precision", "share of given labels that are right", _THRESHOLDED),
        Metric("recall", "Recall", "share of true labels that are given", _THRESHOLDED),
        Metric("f1", "F1", "harmonic mean of precision and recall", _THRESHOLDED),
        Metric(
            "loss",
            "Loss",
            "cross entropy, in nats",
            _CLASSIFIERS,
            False,
            0.0,
            math.inf,
            False,
            True,
        ),
        Metric("mae", "MAE", "mean absolute error", _NUMBERS, False, 0.0, math.inf, True),
        Metric("rmse", "RMSE", "root of the mse", _NUMBERS, False, 0.0, math.inf, True),
        Metric("mse", "MSE", "mean squared error", _NUMBERS, False, 0.0, math.inf, True, True),
        Metric("r2", "R2", "share of variance explained", _NUMBERS, True, -math.inf),
    )
}


class Threshold(Record):
    """Bounds of one metric on the eval split; all that are given must hold."""

    min: float | None = Field(None, description="the metric is at least this")
    max: float | None = Field(None, description="the metric is at most this")
    no_worse_than_baseline_by: float | None = Field(
        None,
        ge=0,
        description="how much worse than the last blessed model is still good enough: a "
        "difference, but of mae, rmse and mse a share of that model's figure (0.05: 5 % more); "
        "holds by itself while there is no such model",
    )

    @model_validator(mode="after")
    def _says_something_possible(self) -> "Threshold":
        if self.min is None and self.max is None and self.no_worse_than_baseline_by is None:
            raise ValueError("needs at least one of min, max and no_worse_than_baseline_by")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max, so no model could pass")
        return self


# What a model must hold where the user says nothing.
DEFAULTS: dict[Task, dict[MetricName, Threshold]] = {
    "multiclass": {"accuracy": Threshold(no_worse_than_baseline_by=0.01)},
    "binary": {"accuracy": Threshold(no_worse_than_baseline_by=0.01)},
    "multilabel": {"f1": Threshold(no_worse_than_baseline_by=0.01)},
    "regression": {"mae": Threshold(no_worse_than_baseline_by=0.05)},
}


class EvaluateConfig(Record):
    """The gate in front of the Pusher."""

    thresholds: dict[MetricName, Threshold] | None = Field(
        None,
        min_length=1,
        description="by metric; null: no worse than the last blessed model by 0.01 of accuracy "
        "(multiclass, binary) or f1 (multilabel), or by 5 % of its mae (regression)",
    )
    slices: list[list[str]] = Field(
        [], description="columns to group by; metrics are shown for each group too"
    )

    @model_validator(mode="after")
    def _thresholds_can_be_met(self) -> "EvaluateConfig":
        for name, threshold in (self.thresholds or {}).items():
            metric = METRICS[name]
            if threshold.min is not None and threshold.min > metric.largest:
                raise ValueError(
                    f"thresholds.{name}.min is above {metric.largest:g}, "
                    f"the most that {name} can be"
                )
            if threshold.max is not None and threshold.max < metric.smallest:
                raise ValueError(
                    f"thresholds.{name}.max is below {metric.smallest:g}, "
                    f"the least that {name} can be"
                )
        return self


def thresholds_of(config: EvaluateConfig, task: Task) -> dict[MetricName, Threshold]:
    """The thresholds of the config, or the task's own where it has none."""
    return DEFAULTS[task] if config.thresholds is None else config.thresholds


def metrics_of(config: EvaluateConfig, task: Task) -> list[Metric]:
    """The metrics that are computed for a task, in the order in which they are shown."""
    asked = thresholds_of(config, task)
    return [
        metric
        for metric in METRICS.values()
        if task in metric.tasks and (metric.name in asked or not metric.on_demand)
    ]
