"""What of a compiled pipeline can be changed each time it is started.

A new parameter is a line in `find_parameters`. Its value is laid over the JSON
of tasks' properties by our entry point (pipeline/kubeflow_task).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from components.gate.config import METRICS, Threshold, thresholds_of
from pipeline.config import Config

Value = int | float | str
# The least and the most that a value may be; None where there is no such bound.
Limits = tuple[float | None, float | None]

_BOUNDS = ("min", "max", "no_worse_than_baseline_by")


class Parameter(NamedTuple):
    """One value that a run may be given.

    Attributes:
        name: In the spec.
        type: The spec's name of its type.
        default: What the config says.
        places: Where the value goes, `property:dotted.path` by task.
        limits: Of a number.
    """

    name: str
    type: Literal["NUMBER_INTEGER", "NUMBER_DOUBLE", "STRING"]
    default: Value
    places: Mapping[str, str]
    limits: Limits = (None, None)


def find_parameters(config: Config) -> list[Parameter]:
    """Lists them.

    Args:
        config: The user's config, with the thresholds that apply (`with_thresholds`).
    """
    found = [_epochs(config, "epochs", config.train.epochs)]
    if config.train.mode == "fine_tune":
        found.append(_epochs(config, "fine_tune.epochs", config.train.fine_tune.epochs))
    if config.data.window:
        # Empty: the newest span that is there when the run begins.
        last = config.data.window.to
        default = "" if last is None else str(last)
        found.append(Parameter("span", "STRING", default, {"ExampleGen": "config:spans.to"}))
    found += _bounds("threshold", "thresholds", config.evaluate.thresholds or {})
    found += _bounds("slice_threshold", "slice_thresholds", config.evaluate.slice_thresholds or {})
    return found


def _epochs(config: Config, key: str, default: int) -> Parameter:
    """A tuner's trials train as long as the Trainer may, and the model card says how long."""
    trained = f"custom_config:trainer.train.{key}"
    tasks = ("Tuner", "Trainer") if config.tune else ("Trainer",)
    places = {**dict.fromkeys(tasks, trained), "ModelCard": f"config:config.train.{key}"}
    return Parameter(key.replace(".", "_"), "NUMBER_INTEGER", default, places, (1, None))


def _bounds(prefix: str, key: str, thresholds: Mapping[Any, Threshold]) -> Iterator[Parameter]:
    for metric, threshold in thresholds.items():
        for bound in _BOUNDS:
            value = getattr(threshold, bound)
            if value is not None:
                places = {"Evaluator": f"gate:evaluate.{key}.{metric}.{bound}"}
                name, limits = f"{prefix}_{metric}_{bound}", _limits(metric, bound)
                yield Parameter(name, "NUMBER_DOUBLE", float(value), places, limits)


def _limits(metric: str, bound: str) -> Limits:
    """Those that `EvaluateConfig` has: beyond them no model could pass."""
    known = METRICS[metric]
    least, most = {
        "min": (-math.inf, known.largest),
        "max": (known.smallest, math.inf),
        "no_worse_than_baseline_by": (0.0, math.inf),
    }[bound]
    return (least if math.isfinite(least) else None, most if math.isfinite(most) else None)


def with_thresholds(config: Config) -> Config:
    """Writes out the thresholds that apply where the config names none."""
    thresholds = thresholds_of(config.evaluate, config.label.task)
    evaluate = config.evaluate.model_copy(update={"thresholds": thresholds})
    return config.model_copy(update={"evaluate": evaluate})
