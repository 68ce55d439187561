"""What of a compiled pipeline can be changed each time it is started.

A new parameter is a line in `find_parameters`. Its value is laid over the JSON
of one task's property by our entry point (pipeline/kubeflow_task).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from components.gate.config import Threshold, thresholds_of
from pipeline.config import Config
from preprocessing.errors import UsageError, explain

Value = int | float | str

_TYPES: Mapping[str, type] = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "STRING": str}
_BOUNDS = ("min", "max", "no_worse_than_baseline_by")


class Parameter(NamedTuple):
    """One value that a run may be given.

    Attributes:
        name: In the spec.
        type: The spec's name of its type.
        default: What the config says.
        task: Whose it is.
        target: Where the value goes: `property:dotted.path`.
    """

    name: str
    type: Literal["NUMBER_INTEGER", "NUMBER_DOUBLE", "STRING"]
    default: Value
    task: str
    target: str


def find_parameters(config: Config) -> list[Parameter]:
    """Lists them.

    Args:
        config: The user's config, with the thresholds that apply (`with_thresholds`).
    """
    train = "custom_config:trainer.train"
    found = [
        Parameter("epochs", "NUMBER_INTEGER", config.train.epochs, "Trainer", f"{train}.epochs")
    ]
    if config.train.mode == "fine_tune":
        epochs = config.train.fine_tune.epochs
        target = f"{train}.fine_tune.epochs"
        found.append(Parameter("fine_tune_epochs", "NUMBER_INTEGER", epochs, "Trainer", target))
    if config.data.window:
        # Empty: the newest span that is there when the run begins.
        last = config.data.window.to
        default = "" if last is None else str(last)
        found.append(Parameter("span", "STRING", default, "ExampleGen", "config:spans.to"))
    found += _bounds("threshold", "thresholds", config.evaluate.thresholds or {})
    found += _bounds("slice_threshold", "slice_thresholds", config.evaluate.slice_thresholds or {})
    return found


def _bounds(prefix: str, key: str, thresholds: Mapping[Any, Threshold]) -> Iterator[Parameter]:
    for metric, threshold in thresholds.items():
        for bound in _BOUNDS:
            value = getattr(threshold, bound)
            if value is not None:
                target = f"gate:evaluate.{key}.{metric}.{bound}"
                name = f"{prefix}_{metric}_{bound}"
                yield Parameter(name, "NUMBER_DOUBLE", float(value), "Evaluator", target)


def with_thresholds(config: Config) -> Config:
    """Writes out the thresholds that apply where the config names none."""
    thresholds = thresholds_of(config.evaluate, config.label.task)
    evaluate = config.evaluate.model_copy(update={"thresholds": thresholds})
    return config.model_copy(update={"evaluate": evaluate})


def with_values(parameters: list[Parameter], given: Mapping[str, str]) -> list[Parameter]:
    """Gives parameters other defaults.

    Args:
        parameters: All there are.
        given: Values by name, as they stand on a command line.

    Returns:
        The parameters in the same order.

    Raises:
        UsageError: If there is no such parameter, or a value is not of its type.
    """
    names = [one.name for one in parameters]
    for name in given:
        if name not in names:
            raise UsageError(explain("The pipeline has no such parameter", name, names))
    return [
        one._replace(default=_convert(one, given[one.name])) if one.name in given else one
        for one in parameters
    ]


def _convert(parameter: Parameter, text: str) -> Value:
    kind = _TYPES[parameter.type]
    try:
        return kind(text)
    except ValueError:
        what = f"The parameter {parameter.name} takes another kind of value"
        valid = {int: "a whole number", float: "a number"}[kind]
        raise UsageError(explain(what, text, [valid])) from None
