"""What tasks find where they run: here, or on a platform."""

import json

import pytest

from pipeline.place import find_place
from tests.pipeline.kubeflow.deployed import load


def test_here_all_is_in_the_working_folder(tmp_path):
    place = find_place(load(tmp_path), "local", cache=True)
    workdir = tmp_path / ".graft"
    assert place.here
    assert place.root == str(workdir / "artifacts")
    assert place.hidden == (str(workdir / "artifacts"), str(workdir / "backbones"))
    assert place.blessed is None


@pytest.mark.parametrize("target", ["vertex", "kubeflow"])
def test_on_a_platform_it_is_beside_the_artifacts(tmp_path, target):
    place = find_place(load(tmp_path), target, cache=True)
    assert not place.here
    assert place.root == "gs://acme/pipelines"
    assert place.checkpoints == "gs://acme/pipelines/checkpoints"
    store = {"path": "gs://acme/pipelines/features", "max_bytes": 10e9}
    assert json.loads(place.store) == store
    assert (place.blessed is None) == (target == "vertex")


def test_what_tensorflow_cannot_read_by_itself_holds_artifacts_alone(tmp_path):
    config = load(
        tmp_path, "deploy.pipeline_root=s3://acme/root", "deploy.backbones=/opt/backbones"
    )
    place = find_place(config, "kubeflow", cache=True)
    assert place.checkpoints is None
    assert json.loads(place.store) == {"path": "", "max_bytes": 10e9}
    assert place.hidden == ("/opt/backbones",)
    assert place.blessed == "gs://acme/serving/flowers.blessed"


def test_the_store_of_a_platform_is_read_from_the_very_property():
    from components.embedder.config import StoreSettings, read_settings

    settings = StoreSettings(path="gs://acme/features", max_bytes=1.0)
    assert read_settings(settings.model_dump_json()) == settings
