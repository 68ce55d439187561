"""Artifact types that a platform would refuse are found before anything is compiled."""

import pytest

from preprocessing.errors import ConfigError


class _Node:
    id = "Maker"
    inputs: dict = {}

    def __init__(self, kind):
        from tfx import types

        self.outputs = {"made": types.Channel(type=kind)}


def _kind(name, **members):
    from tfx.types import artifact

    return type(name.rpartition(".")[2], (artifact.Artifact,), {"TYPE_NAME": name, **members})


def _said(kind) -> str:
    from pipeline.kubeflow.artifact_types import check_artifact_types

    with pytest.raises(ConfigError) as caught:
        check_artifact_types([_Node(kind)])
    return str(caught.value)


def test_our_own_and_tfx_s_types_are_taken():
    from tfx.types import standard_artifacts

    from components.artifacts import Exports, ModelCard
    from pipeline.kubeflow.artifact_types import check_artifact_types

    kinds = (Exports, ModelCard, standard_artifacts.Model, standard_artifacts.Examples)
    check_artifact_types(map(_Node, kinds))


@pytest.mark.parametrize("name", ["Vectors", "my.own.Vectors", "My.Vectors", "my.vectors"])
def test_a_type_name_that_is_not_as_platforms_demand_is_refused(name):
    assert _said(_kind(name)) == (
        "Maker: the artifact made has a TYPE_NAME that Kubeflow and Vertex AI refuse\n"
        f"  Received: '{name}'\n"
        "  Valid: package.ClassName, with one dot"
    )


def test_a_type_that_tasks_cannot_import_is_refused():
    said = _said(_kind("nowhere.Vectors"))
    assert said.startswith("Maker: the artifact made cannot be imported under its TYPE_NAME")


def test_properties_that_tfx_cannot_compile_are_refused(monkeypatch):
    from tfx.types.artifact import Property, PropertyType

    import components.artifacts

    kind = _kind("components.Vectors", PROPERTIES={"width": Property(type=PropertyType.INT)})
    monkeypatch.setattr(components.artifacts, "Vectors", kind, raising=False)
    assert "has PROPERTIES, which TFX cannot compile" in _said(kind)
