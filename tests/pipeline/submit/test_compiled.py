"""What `graft compile` writes is what `graft submit` takes: the demo, for both platforms."""

import json

import pytest

from pipeline.cli import main
from pipeline.submit.request import read_request
from tests.conftest import ROOT
from tests.pipeline.submit.service import Service

pytestmark = pytest.mark.slow  # imports TFX

NODES = {"ExampleGen", "Transform", "Embedder", "Trainer", "Evaluator", "Pusher"}


@pytest.mark.parametrize(("target", "suffix"), [("vertex", "json"), ("kubeflow", "yaml")])
def test_the_demo_is_compiled_and_submitted(target, suffix, tmp_path, registry, monkeypatch, capfd):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "backbone").symlink_to(ROOT / "examples/digits/backbone")
    (tmp_path / "digits.yaml").write_text((ROOT / "examples/digits/digits.yaml").read_text())
    spec = tmp_path / f"pipeline.{suffix}"
    with Service() as service:
        sets = (
            "data.source.path=gs://acme/digits",
            "push.path=gs://acme/serving",
            f"deploy.image={registry.url.removeprefix('http://')}/graft:1",
            "deploy.pipeline_root=gs://acme/pipelines",
            "deploy.backbones=/opt/backbones",
            "deploy.image_paths=[/opt]",
            f"deploy.kubeflow.endpoint={service.url}",
        )
        options = [word for one in sets for word in ("--set", one)]
        config = str(tmp_path / "digits.yaml")
        compiled = main(["compile", config, "--target", target, "-o", str(spec), *options])
        assert compiled == 0, capfd.readouterr().err
        assert read_request(spec, ["epochs=3"]).tasks > NODES
        if target == "vertex":
            return
        service.on("GET", "/healthz", (200, {}))
        there = {"experiments": [{"experiment_id": "e1", "display_name": "Default"}]}
        service.on("GET", r"/experiments\?", (200, there))
        service.on("POST", "/runs", (200, {"run_id": "r1"}))
        capfd.readouterr()
        submitted = main(["submit", str(spec), "--parameter", "epochs=3", "--no-wait", "--json"])
        out, err = capfd.readouterr()
        assert submitted == 0, err
        (sent,) = service.bodies("POST", "/runs")
    assert sent["runtime_config"]["parameters"] == json.loads(out)["parameters"]
    assert sent["runtime_config"]["parameters"]["epochs"] == 3
