"""What is submitted: a compiled spec, its submit file, and the values of its parameters.

All of it is checked here, before a client is imported or a service is asked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.kubeflow.submit_file import SUFFIX, SubmitFile, submit_path
from pipeline.kubeflow.values import check_value
from preprocessing.errors import UsageError, explain

_TRUE_FALSE = {"true": True, "false": False}


@dataclass(frozen=True)
class Request:
    """One submission.

    Attributes:
        spec: The compiled pipeline.
        submit: What its submit file says.
        parameters: Value of every parameter of the pipeline.
        tasks: Names of its tasks, in no order.
    """

    spec: Path
    submit: SubmitFile
    parameters: Mapping[str, Any]
    tasks: frozenset[str]


def read_request(spec: Path, assignments: Sequence[str]) -> Request:
    """Reads and checks what is to be submitted.

    Args:
        spec: What `graft compile` wrote; its submit file lies beside it.
        assignments: Values that replace defaults, as `NAME=VALUE`.

    Returns:
        The request, with a value of the right type for every parameter.

    Raises:
        UsageError: A file is missing or is not what `graft compile` writes, or a
            parameter is unknown, has no value, or one that it cannot have.
    """
    submit = _read_submit(spec)
    root = _read_root(spec)
    types = {
        name: str(one.get("parameterType", ""))
        for name, one in root.get("inputDefinitions", {}).get("parameters", {}).items()
    }
    values = dict(submit.parameters)
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(explain("--parameter wants NAME=VALUE", assignment, sorted(types)))
        _check_known(name, types)
        values[name] = parse_value(name, value, types[name])
    for name in values:
        _check_known(name, types)
    missing = sorted(name for name in types if values.get(name) is None)
    if missing:
        what = f"The pipeline's parameter {missing[0]} has no value; give it by --parameter"
        raise UsageError(explain(what, values))
    for name, given in values.items():
        if name in submit.limits:
            check_value(name, given, submit.limits[name])
    return Request(spec, submit, values, frozenset(root["dag"]["tasks"]))


def parse_value(name: str, text: str, kind: str) -> Any:
    """Reads a parameter's value from the command line.

    Args:
        name: Of the parameter, for the message.
        text: What was given.
        kind: The spec's parameterType, such as NUMBER_INTEGER.

    Raises:
        UsageError: It is no value of that type.
    """
    try:
        if kind == "NUMBER_INTEGER":
            return int(text)
        if kind == "NUMBER_DOUBLE":
            return float(text)
        if kind == "BOOLEAN":
            return _TRUE_FALSE[text.lower()]
        if kind in ("LIST", "STRUCT"):
            return json.loads(text)
    except (KeyError, ValueError):
        raise UsageError(explain(f"The parameter {name} is a {kind}", text)) from None
    return text


def _check_known(name: str, types: Mapping[str, str]) -> None:
    if name not in types:
        what = "The pipeline has no such parameter"
        raise UsageError(explain(what, name, sorted(types), "graft compile --help"))


def _read_submit(spec: Path) -> SubmitFile:
    path = submit_path(spec)
    try:
        return SubmitFile.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"A spec and its submit file belong together, and one cannot be read: {path.name}"
        see = "graft compile writes both"
        raise UsageError(explain(f"{what}: {error.strerror}", str(spec), (), see)) from None
    except (ValidationError, ValueError) as error:
        first = str(error).splitlines()
        what = f"{path.name} is not what graft compile writes: {' '.join(first[1:3]).strip()}"
        raise UsageError(explain(what, str(path), (), "graft compile")) from None


def _read_root(spec: Path) -> Mapping[str, Any]:
    """Returns the root component of a PipelineJob (JSON) or a PipelineSpec (YAML)."""
    try:
        text = spec.read_text(encoding="utf-8")
        read = next(iter(yaml.safe_load_all(text))) if spec.suffix != ".json" else json.loads(text)
        root = read.get("pipelineSpec", read)["root"]
        root["dag"]["tasks"]  # noqa: B018
        return root
    except OSError as error:
        what = f"The compiled pipeline cannot be read: {error.strerror}"
        raise UsageError(explain(what, str(spec), (), "graft compile")) from None
    except (AttributeError, KeyError, TypeError, ValueError, StopIteration, yaml.YAMLError):
        what = "This is no compiled pipeline: neither Vertex's PipelineJob nor a PipelineSpec"
        raise UsageError(
            explain(what, str(spec), (), f"graft compile writes it and its {SUFFIX}")
        ) from None
