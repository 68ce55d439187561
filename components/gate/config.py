"""When a model is good enough to be pushed; imports no TensorFlow.

A new metric is a `Metric` in `METRICS` and its name in `MetricName`;
eval_config.py says how it is computed.
"""

import math
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from preprocessing.config import LabelConfig, Record, Task

MetricName = Literal[
    "accuracy", "auc", "precision", "recall", "f1", "loss", "ece", "mae", "rmse", "mse", "r2"
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
        Metric(
            "ece",
            "ECE",
            "expected calibration error: how far probabilities are from what comes true",
            _CLASSIFIERS,
            False,
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
        "is skipped while there is no such model",
    )
    when_unsure: Literal["value", "pass", "fail"] = Field(
        "value",
        description="what counts where the bound lies within the interval of the figure: the "
        "figure itself, or it passes, or it fails",
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
    slices: list[Annotated[list[str], Field(min_length=1)]] = Field(
        [],
        examples=[[["source"], ["source", "brand"]]],
        description="columns to group by, or crosses of them; metrics are shown for each group too",
    )
    slice_thresholds: dict[MetricName, Threshold] | None = Field(
        None, min_length=1, description="by metric, on each of the slices; null: none"
    )
    min_slice_examples: int = Field(
        30, gt=0, description="a slice with fewer is shown and not judged"
    )
    confidence: float | None = Field(
        0.95, gt=0.5, lt=1, description="of the intervals of what thresholds are on; null: none"
    )

    @model_validator(mode="after")
    def _thresholds_can_be_met(self) -> "EvaluateConfig":
        for key in ("thresholds", "slice_thresholds"):
            for name, threshold in (getattr(self, key) or {}).items():
                metric = METRICS[name]
                if threshold.min is not None and threshold.min > metric.largest:
                    raise ValueError(
                        f"{key}.{name}.min is above {metric.largest:g}, the most that {name} can be"
                    )
                if threshold.max is not None and threshold.max < metric.smallest:
                    raise ValueError(
                        f"{key}.{name}.max is below {metric.smallest:g}, "
                        f"the least that {name} can be"
                    )
                if threshold.when_unsure != "value" and name == "auc":
                    raise ValueError(
                        f"{key}.auc.when_unsure asks for an interval, and auc has none"
                    )
                if threshold.when_unsure != "value" and self.confidence is None:
                    raise ValueError(
                        f"{key}.{name}.when_unsure asks for an interval, and confidence is null"
                    )
        return self

    @model_validator(mode="after")
    def _slices_are_there(self) -> "EvaluateConfig":
        if self.slice_thresholds and not self.slices:
            raise ValueError("slice_thresholds need slices: say which columns to group by")
        for group in self.slices:
            if len(set(group)) < len(group):
                raise ValueError(f"slices: a column stands twice in {group}")
        return self


def thresholds_of(config: EvaluateConfig, task: Task) -> dict[MetricName, Threshold]:
    """The thresholds of the config, or the task's own where it has none."""
    return DEFAULTS[task] if config.thresholds is None else config.thresholds


def metrics_of(config: EvaluateConfig, task: Task) -> list[Metric]:
    """The metrics that are computed for a task, in the order in which they are shown."""
    asked = {*thresholds_of(config, task), *(config.slice_thresholds or {})}
    return [
        metric
        for metric in METRICS.values()
        if task in metric.tasks and (metric.name in asked or not metric.on_demand)
    ]


class GateConfig(Record):
    """What the gate must know of a run; crosses TFX as JSON, and is part of the cache's key.

    Attributes:
        evaluate: The thresholds.
        label: The candidate's.
        signatures: What a model must have, the one that predicts first.
        rebaseline: Whether the last blessed model is set aside.
    """

    evaluate: EvaluateConfig
    label: LabelConfig
    signatures: tuple[str, ...]
    rebaseline: bool = False

    @property
    def output(self) -> str:
        """What the first signature gives that is judged."""
        return "value" if self.label.task == "regression" else "probabilities"
