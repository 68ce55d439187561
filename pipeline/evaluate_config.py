"""When a model is good enough to be pushed; imports no TensorFlow.

A new metric is a `Metric` in `METRICS` and its name in `MetricName`;
evaluation.py says how it is computed.
"""

from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from preprocessing.config import Record

MetricName = Literal["accuracy", "auc", "loss"]


class Metric(NamedTuple):
    """A figure that a threshold can be set on."""

    name: MetricName
    meaning: str
    higher_is_better: bool
    largest: float | None


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "share of examples whose likeliest class is right", True, 1.0),
        Metric("auc", "area under the ROC curve, the classes taken together", True, 1.0),
        Metric("loss", "cross entropy, in nats", False, None),
    )
}


class Threshold(Record):
    """Bounds of one metric on the eval split; all that are given must hold."""

    min: float | None = Field(None, ge=0, description="the metric is at least this")
    max: float | None = Field(None, ge=0, description="the metric is at most this")
    no_worse_than_baseline_by: float | None = Field(
        None,
        ge=0,
        description="how much worse than the last blessed model is still good enough; "
        "holds by itself while there is no such model",
    )

    @model_validator(mode="after")
    def _says_something_possible(self) -> "Threshold":
        if self.min is None and self.max is None and self.no_worse_than_baseline_by is None:
            raise ValueError("needs at least one of min, max and no_worse_than_baseline_by")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max, so no model could pass")
        return self


class EvaluateConfig(Record):
    """The gate in front of the Pusher.

    Without thresholds of your own, a model passes when its accuracy is no more
    than 0.01 below that of the last blessed one.
    """

    thresholds: dict[MetricName, Threshold] = Field(
        {"accuracy": Threshold(no_worse_than_baseline_by=0.01)}, min_length=1
    )
    slices: list[list[str]] = Field(
        [], description="columns to group by; metrics are shown for each group too"
    )

    @model_validator(mode="after")
    def _thresholds_can_be_met(self) -> "EvaluateConfig":
        for name, threshold in self.thresholds.items():
            largest = METRICS[name].largest
            if largest is not None and threshold.min is not None and threshold.min > largest:
                raise ValueError(
                    f"thresholds.{name}.min is above {largest:g}, the most that {name} can be"
                )
        return self
