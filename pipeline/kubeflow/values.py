"""The values that people give a compiled pipeline's parameters: read and checked before a run.

A task would refuse them, too, but the gate only once the model is trained.
"""

import math
from collections.abc import Mapping

from components.example_gen.span_config import number_of
from pipeline.kubeflow.parameters import Limits, Parameter, Value
from preprocessing.errors import UsageError, explain

_TYPES: Mapping[str, type] = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "STRING": str}
_SPANS = ("the number of a span", "a date such as 2026-01-31", "nothing, for the newest")


def with_values(parameters: list[Parameter], given: Mapping[str, str]) -> list[Parameter]:
    """Gives parameters other defaults.

    Args:
        parameters: All there are.
        given: Values by name, as they stand on a command line.

    Returns:
        The parameters in the same order.

    Raises:
        UsageError: If there is no such parameter, or it cannot have such a value.
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
        value: Value = kind(text)
    except ValueError:
        what = f"The parameter {parameter.name} takes another kind of value"
        valid = {int: "a whole number", float: "a number"}[kind]
        raise UsageError(explain(what, text, [valid])) from None
    check_value(parameter.name, value, parameter.limits)
    return value


def check_value(name: str, value: Value, limits: Limits) -> None:
    """Refuses what a task would refuse.

    Args:
        name: The parameter's.
        value: A text is a span, an empty one the newest.
        limits: Of a number.

    Raises:
        UsageError: If the parameter cannot have the value.
    """
    if isinstance(value, str):
        right, valid = not value or _is_span(value), [*_SPANS]
    else:
        bounds = [*zip(("at least", "at most"), limits, strict=True)]
        valid = [f"{word} {one:g}" for word, one in bounds if one is not None]
        least, most = (math.nan if one is None else one for one in limits)
        # Nothing is below or above what is no number.
        right = math.isfinite(value) and not (value < least or value > most)
    if not right:
        what = f"The parameter {name} cannot have this value"
        raise UsageError(explain(what, value, valid or ["a finite number"]))


def _is_span(text: str) -> bool:
    try:
        number_of(text)
    except ValueError:
        return False
    return True
