"""What a task is told of its inputs and outputs, as TFX needs it.

Plain functions on the JSON of an ExecutorInput and an ExecutorOutput, the messages
between the platform and a task. Types are a schema in YAML, as compiled specs have them.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.kubeflow_task.places import to_path, to_uri

# Kubeflow Pipelines adds it from 2.5 on, of a type that TFX does not have.
LOGS = "executor-logs"
# What an artifact says that stands for another one, or for none; see pipeline/blessed.
AT, ABSENT = "graft_at", "graft_absent"


def complete(invocation: Mapping[str, Any], inputs_spec: Mapping[str, Any]) -> dict[str, Any]:
    """Puts back what Kubeflow Pipelines leaves out, and takes away what it adds.

    Args:
        invocation: An ExecutorInput.
        inputs_spec: The ComponentInputsSpec that TFX compiled, if it is known; it names
            each input and its type.

    Returns:
        The same for TFX: inputs have their types and are where the artifact that
        they stand for is, those that stand for none are gone, and so are those that
        only had to be copied here; no output is the launcher's own; all are where
        this container reads and writes.
    """
    told = copy.deepcopy(dict(invocation))
    types = {name: one["artifactType"] for name, one in inputs_spec.get("artifacts", {}).items()}
    inputs = told.get("inputs", {}).get("artifacts", {})
    for name, found in list(inputs.items()):
        if types and name not in types:
            del inputs[name]
            continue
        kept = [one for one in found.get("artifacts", []) if not _metadata(one).get(ABSENT)]
        for one in kept:
            one["uri"] = to_path(_metadata(one).get(AT) or one.get("uri", ""))
            if name in types:
                one["type"] = types[name]
        found["artifacts"] = kept
    outputs = told.get("outputs", {}).get("artifacts", {})
    outputs.pop(LOGS, None)
    for one in _each(outputs):
        one["uri"] = to_path(one["uri"])
    return told


def take_over(invocation: dict[str, Any], found: Mapping[str, Any]) -> None:
    """Says of the outputs what a driver found out about them before they are made.

    Args:
        invocation: An ExecutorInput, which is changed.
        found: The driver's ExecutorOutput.
    """
    outputs = invocation.get("outputs", {}).get("artifacts", {})
    for name, said in found.get("artifacts", {}).items():
        for one, other in zip(outputs[name]["artifacts"], said["artifacts"], strict=True):
            one["metadata"] = {**_metadata(one), **_metadata(other)}


def restore(output: Mapping[str, Any]) -> dict[str, Any]:
    """Says to the platform what a task made, by the addresses that others know.

    Args:
        output: TFX's ExecutorOutput.

    Returns:
        The same without paths of this container, and without empty metadata, at
        which Kubeflow Pipelines stops.
    """
    told = copy.deepcopy(dict(output))
    for one in _each(told.get("artifacts", {})):
        one["uri"] = to_uri(one.get("uri", ""))
        one["metadata"] = {
            key: to_uri(value) if isinstance(value, str) else value
            for key, value in _metadata(one).items()
            if value is not None
        }
    return told


def _each(artifacts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for found in artifacts.values():
        yield from found.get("artifacts", [])


def _metadata(artifact: Mapping[str, Any]) -> Mapping[str, Any]:
    return artifact.get("metadata") or {}
