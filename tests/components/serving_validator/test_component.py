"""The wiring into TFX: what the stock Pusher reads, and TFX's own validator instead."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tfx import types
from tfx.components.pusher import executor as stock_pusher
from tfx.types import standard_artifacts

from components.serving_validator.component import ServingValidator
from components.serving_validator.config import InfraConfig, ValidateConfig
from components.serving_validator.executor import Executor
from components.serving_validator.infra import build_infra_validator, check_platform
from preprocessing.errors import UsageError


def artifact(kind, uri):
    made = kind()
    made.uri = str(uri)
    return made


@pytest.fixture
def execute(served, trial, tmp_path):
    """Runs the executor on the tiny model as TFX does, and gives the blessing."""
    import hashlib
    import shutil

    shutil.copytree(served[1], tmp_path / "model" / "Format-Serving")
    split = tmp_path / "examples" / "Split-eval"
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "shard")) as writer:
        for one in trial.serialized:
            writer.write(one)
    keys = np.array([hashlib.sha256(one).hexdigest() for one in trial.serialized], "S")
    (tmp_path / "run").mkdir()
    np.savez(tmp_path / "run" / "eval_predictions.npz", examples=keys, **trial.expected)

    def run(**config):
        examples = artifact(standard_artifacts.Examples, tmp_path / "examples")
        examples.split_names = '["train", "eval"]'
        blessing = artifact(standard_artifacts.InfraBlessing, tmp_path / "blessing")
        Executor().Do(
            {
                "model": [artifact(standard_artifacts.Model, tmp_path / "model")],
                "examples": [examples],
                "model_run": [artifact(standard_artifacts.ModelRun, tmp_path / "run")],
            },
            {"blessing": [blessing]},
            {
                "config": ValidateConfig(batch_sizes=[0, 2], **config).model_dump_json(),
                "hidden": json.dumps([str(tmp_path / "model")]),
            },
        )
        return blessing

    return run


@pytest.mark.slow
def test_the_stock_pusher_pushes_what_it_blessed_and_nothing_else(execute):
    check = stock_pusher.Executor().CheckBlessing
    blessed = execute(examples=3)
    assert check({"infra_blessing": [blessed]})
    report = json.loads(tf.io.gfile.GFile(f"{blessed.uri}/report.json").read())
    assert report["blessed"]
    assert [one["examples"] for one in report["parity"]] == [3, 3, 3]
    assert tf.io.gfile.exists(f"{blessed.uri}/INFRA_BLESSED")
    tf.io.gfile.rmtree(blessed.uri)
    refused = execute(max_size_mb=0.01)
    assert not check({"infra_blessing": [refused]})
    assert tf.io.gfile.exists(f"{refused.uri}/INFRA_NOT_BLESSED")


def channels():
    kinds = ("Model", "Examples", "ModelRun")
    return [types.Channel(type=getattr(standard_artifacts, kind)) for kind in kinds]


def test_its_output_takes_the_place_of_the_infra_validators():
    node = ServingValidator(*channels(), config="{}", hidden="[]", code_digest="sha256:0")
    assert node.outputs["blessing"].type is standard_artifacts.InfraBlessing


def test_the_infra_validator_of_tfx_sends_serialized_examples():
    config = InfraConfig(tags=["2.16.1", "latest"], requests=4)
    model, examples, _ = channels()
    node = build_infra_validator(model, examples, config, "serving_examples", "eval")
    serving = json.loads(node.exec_properties["serving_spec"])
    assert serving["tensorflow_serving"] == {
        "image_name": "tensorflow/serving",
        "tags": ["2.16.1", "latest"],
    }
    assert "local_docker" in serving
    request = json.loads(node.exec_properties["request_spec"])
    assert request["tensorflow_serving"] == {"signature_names": ["serving_examples"]}
    assert (request["split_name"], request["num_examples"]) == ("eval", 4)
    kubernetes = InfraConfig(platform="kubernetes")
    node = build_infra_validator(model, examples, kubernetes, "serving_examples", "eval")
    assert "kubernetes" in json.loads(node.exec_properties["serving_spec"])


def test_without_docker_the_infra_validator_is_refused_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    socket = tmp_path / "docker.sock"
    monkeypatch.setattr("components.serving_validator.infra._SOCKET", socket)
    with pytest.raises(UsageError) as caught:
        check_platform(InfraConfig())
    assert str(caught.value) == (
        "validate.validator: infra_validator needs Docker, whose daemon does not run here "
        f"({socket} is not there and DOCKER_HOST is not set); "
        "validate.validator: graft needs neither\n"
        "  Received: 'infra_validator'\n"
        "  Valid: graft, none"
    )
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    check_platform(InfraConfig())


def test_kubernetes_is_refused_where_the_pipeline_runs_here():
    with pytest.raises(UsageError) as caught:
        check_platform(InfraConfig(platform="kubernetes"))
    assert str(caught.value) == (
        "validate.infra.platform: kubernetes starts its server beside a pipeline that Kubeflow "
        "runs, and this is none; validate.validator: graft needs neither\n"
        "  Received: 'kubernetes'\n"
        "  Valid: docker"
    )
