"""The artifact types that TFX has no name for.

A new one is a class here and its name in `components.__getattr__`'s reach:
Kubeflow and Vertex import a type under its TYPE_NAME, which may hold one dot.
"""

from tfx.types import artifact


class ModelCard(artifact.Artifact):
    """A folder with `model_card.md` and `model_card.json`."""

    TYPE_NAME = "components.ModelCard"


class Exports(artifact.Artifact):
    """A folder with one sub-folder for each format, and `report.json`."""

    TYPE_NAME = "components.Exports"
