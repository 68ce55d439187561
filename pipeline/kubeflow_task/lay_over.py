"""Parameters of a run, laid over the values that were compiled into a task.

TFX has runtime parameters only for whole parameters of a component. Most of ours are
JSON texts: `epochs` is a value deep inside of the Trainer's `custom_config`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from preprocessing.errors import UsageError, explain

_SEE = "docs/deploy.md"


class Place(NamedTuple):
    """Where the value of a run's parameter belongs.

    Attributes:
        name: The run's parameter, and the task's.
        parameter: The task's parameter that holds the value, a JSON text.
        path: The keys to it.
    """

    name: str
    parameter: str
    path: tuple[str, ...]


def read_place(text: str) -> Place:
    """Reads a `--lay_over` argument.

    Args:
        text: `NAME=PARAMETER:dotted.path`.

    Raises:
        UsageError: If it is of another form.
    """
    name, _, place = text.partition("=")
    parameter, _, path = place.partition(":")
    if not (name and parameter and path):
        raise UsageError(explain("--lay_over takes NAME=PARAMETER:dotted.path", text, see=_SEE))
    return Place(name, parameter, tuple(path.split(".")))


def lay_over(parameters: Mapping[str, Any], places: Sequence[Place]) -> dict[str, Any]:
    """Puts the values of a run where they belong.

    Args:
        parameters: The task's, those of the run among them. An empty text leaves
            what was compiled.
        places: Where each of the run's belongs.

    Returns:
        The task's own parameters.

    Raises:
        UsageError: If a value is missing, is no number where one belongs, or there
            is no such place.
    """
    names = {place.name for place in places}
    laid = {key: value for key, value in parameters.items() if key not in names}
    for place in places:
        if place.name not in parameters:
            given = sorted(names & parameters.keys())
            raise UsageError(
                explain("The run has no value of a parameter", place.name, given, _SEE)
            )
        if parameters[place.name] != "":
            laid[place.parameter] = _laid(laid, place, parameters[place.name])
    return laid


def _laid(parameters: Mapping[str, Any], place: Place, value: Any) -> str:
    if place.parameter not in parameters:
        what = f"{place.name}: the task has no such parameter"
        raise UsageError(explain(what, place.parameter, parameters, _SEE))
    inner = whole = json.loads(parameters[place.parameter])
    for key in place.path[:-1]:
        inner = _within(inner, key, place)
    last = place.path[-1]
    inner[last] = _like(_within(inner, last, place), value, place)
    return json.dumps(whole)


def _within(value: Any, key: str, place: Place) -> Any:
    if not isinstance(value, dict) or key not in value:
        what = f"{place.name}: {place.parameter} has no {'.'.join(place.path)}"
        raise UsageError(explain(what, key, value if isinstance(value, dict) else (), _SEE))
    return value[key]


def _like(compiled: Any, value: Any, place: Place) -> Any:
    """The value as the kind that was compiled: all numbers of a message are floats."""
    if not isinstance(compiled, int | float):
        return value
    try:
        number = float(value)
    except ValueError:
        raise UsageError(explain(f"{place.name} is a number", value, see=_SEE)) from None
    return int(number) if isinstance(compiled, int) and number.is_integer() else number
