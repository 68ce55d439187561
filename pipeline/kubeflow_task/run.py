"""One task, run by TFX's own entry point with what that needs; the only module with TFX."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from pipeline.kubeflow_task.invocation import complete, restore, take_over
from pipeline.kubeflow_task.lay_over import lay_over, read_place
from pipeline.kubeflow_task.places import is_private
from pipeline.kubeflow_task.run_id import take_run_id
from pipeline.light_imports import light_imports
from preprocessing.errors import UsageError, explain
from preprocessing.keras_mode import check_legacy_keras

_INVOCATION = "--json_serialized_invocation_args"
_SPEC = "--json_serialized_inputs_spec_args"


def run(arguments: Sequence[str]) -> None:
    """Runs one task.

    Args:
        arguments: As TFX's entry point takes them, and `--lay_over` for each
            parameter of the run; see lay_over.py.

    Raises:
        UsageError: If an argument cannot be read, or a parameter has no place.
    """
    check_legacy_keras()
    given, beam = _parse(arguments)
    told = _read(_INVOCATION, given.json_serialized_invocation_args)
    spec = _read(_SPEC, given.json_serialized_inputs_spec_args or "{}")
    told = complete(told, spec)
    inputs = told.setdefault("inputs", {})
    run_id = take_run_id(inputs.setdefault("parameterValues", {}))
    parameters = lay_over(inputs["parameterValues"], given.lay_over)
    inputs["parameterValues"] = parameters
    for each in told["outputs"].get("artifacts", {}).values():
        for one in each["artifacts"]:
            if is_private(one["uri"]):
                # The launcher makes only the folder around it.
                os.makedirs(one["uri"], exist_ok=True)
    # Beam parses the process's command line, which is not its own.
    sys.argv = sys.argv[:1]
    with light_imports():
        from tfx.dsl.components.base import base_executor
        from tfx.dsl.io import fileio
        from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as stock

    path = told["outputs"]["outputFile"]
    if parameters.keys() >= {"input_base", "input_config"} and not fileio.exists(path):
        # On Vertex AI it has run before, as the hook that looks for a cached result.
        _run_driver(told, given)
    # The context that it makes for the executor leaves out the run.
    context: Any = base_executor.BaseExecutor.Context
    context.pipeline_run_id = run_id
    stock.main((_namespace(told, given), beam))
    with fileio.open(path, "r") as file:
        made = json.loads(file.read())
    with fileio.open(path, "w") as file:
        file.write(json.dumps(restore(made)))


def _run_driver(told: dict[str, Any], given: argparse.Namespace) -> None:
    """Resolves span, version and fingerprint of the files that an ExampleGen reads."""
    from tfx.dsl.io import fileio
    from tfx.orchestration.kubeflow.v2.file_based_example_gen import driver

    driver.main(_namespace(told, given))
    with fileio.open(told["outputs"]["outputFile"], "r") as file:
        take_over(told, json.loads(file.read()))


def _namespace(told: dict[str, Any], given: argparse.Namespace) -> argparse.Namespace:
    return argparse.Namespace(
        **{**vars(given), "json_serialized_invocation_args": json.dumps(told)}
    )


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser("python -m pipeline.kubeflow_task", allow_abbrev=False)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument(_INVOCATION, required=True)
    parser.add_argument(_SPEC)
    parser.add_argument("--lay_over", action="append", default=[], type=read_place)
    return parser.parse_known_args(arguments)


def _read(argument: str, text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except json.JSONDecodeError:
        read = None
    if not isinstance(read, dict):
        raise UsageError(explain(f"{argument} must be a JSON object", text[:200]))
    return read
