"""Which artifact types a platform takes: TFX's own, and those that can be found by their name."""

import re
from collections.abc import Iterable

from tfx.dsl.components.base import base_node
from tfx.types import artifact
from tfx.utils import import_utils

from preprocessing.errors import ConfigError, explain

# TFX and Kubeflow import a type of ours under the title that this describes.
_NAME = re.compile(r"[a-z][a-z0-9-_]{2,20}[.][A-Z][a-zA-Z0-9-_]{2,49}")


def check_artifact_types(nodes: Iterable[base_node.BaseNode]) -> None:
    """Refuses what would end in a KeyError of the compiler, or in a task that finds no such class.

    Args:
        nodes: Of a pipeline.

    Raises:
        ConfigError: If a type is not called as platforms demand, cannot be
            imported under its name, or has properties of its own.
    """
    for node in nodes:
        for key, channel in {**node.inputs, **node.outputs}.items():
            if not channel.type.__module__.startswith("tfx."):
                _check(channel.type, f"{node.id}: the artifact {key}")


def _check(kind: type[artifact.Artifact], where: str) -> None:
    name = kind.TYPE_NAME or ""
    if not _NAME.fullmatch(name):
        what = f"{where} has a TYPE_NAME that Kubeflow and Vertex AI refuse"
        raise ConfigError(explain(what, name, ["package.ClassName, with one dot"]))
    try:
        found = import_utils.import_class_by_path(name)
    except (ImportError, AttributeError):
        found = None
    if found is not kind:
        what = f"{where} cannot be imported under its TYPE_NAME, as tasks on a platform do"
        raise ConfigError(explain(what, name, [f"{kind.__module__}.{kind.__qualname__}"]))
    if kind.PROPERTIES:
        what = f"{where} has PROPERTIES, which TFX cannot compile for a type that is not its own"
        raise ConfigError(explain(what, sorted(kind.PROPERTIES), ["custom properties"]))
