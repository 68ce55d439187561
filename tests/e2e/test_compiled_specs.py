"""Both compiled specs, task by task, to a pushed model that says what the local run's says.

What the platforms do around a task is tests/spec_runner; the data are the demo's digits.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.spec_runner.demo import answers, newest, write_small_demo
from tests.spec_runner.kubeflow import Kubeflow
from tests.spec_runner.runner import run_spec
from tests.spec_runner.spec import read_spec
from tests.spec_runner.vertex import Vertex

EPOCHS = 12
BUCKET = "gs://graft-test"
ROOTS = {"vertex": f"{BUCKET}/root", "kubeflow": "minio://graft-test/root"}
ENDINGS = {"vertex": "json", "kubeflow": "yaml"}

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_small_demo(tmp_path_factory.mktemp("specs"), ROOTS["vertex"], EPOCHS)


@pytest.fixture(scope="module")
def local(graft, demo):
    """What the model of a local run says."""
    done = graft("run", demo, "--json", cwd=demo.parent)
    assert done.code == 0, done.err
    return answers(demo.parent / "serving" / "digits", demo.parent)


@pytest.fixture
def compiled(graft, demo, tmp_path):
    """Compiles for a target with other epochs, which the run is to be given back."""

    def run(target, **more):
        output = tmp_path / f"digits.{ENDINGS[target]}"
        changes = {
            "train.epochs": 1,
            "push.path": demo.parent / target,
            "deploy.pipeline_root": ROOTS[target],
            **{key.replace("__", "."): value for key, value in more.items()},
        }
        overrides = [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
        done = graft("compile", demo, "--target", target, "-o", output, *overrides, cwd=demo.parent)
        assert done.code == 0, done.err
        return read_spec(output, {BUCKET: tmp_path / "bucket"})

    return run


def run_and_compare(spec, platform, demo, local):
    run_spec(spec, platform, {"epochs": EPOCHS})
    pushed = demo.parent / type(platform).__name__.lower()
    np.testing.assert_allclose(answers(pushed, demo.parent), local, atol=1e-6)
    version = newest(pushed)
    assert json.loads((version / "manifest.json").read_text())["run_id"] == platform.RUN
    card = json.loads((version / "model_card.json").read_text())
    assert (card["run_id"], card["training"]["settings"]["epochs"]) == (platform.RUN, EPOCHS)


def compared_with(folder):
    """The model beside which the gate evaluated, by the report of a gate."""
    (report,) = Path(folder).glob("gate*.json")
    baseline = json.loads(report.read_text())["baseline"]
    assert baseline["state"] == "compared", baseline
    return baseline["model"]


def test_vertex_pushes_the_local_runs_model_and_then_compares_with_it(
    compiled, demo, local, tmp_path
):
    spec, platform = compiled("vertex"), Vertex(tmp_path / "bucket" / "root")
    run_and_compare(spec, platform, demo, local)
    (model,) = platform.made["Trainer"]["model"]
    resolvers = {name for name in spec.tasks if name.startswith("Baseline")}
    made = run_spec(spec, platform, only={*resolvers, "Evaluator"})
    assert compared_with(made["Evaluator"]["evaluation"][0]["uri"]) == model["uri"]


def test_kubeflow_pushes_the_local_runs_model_and_then_compares_with_it(
    compiled, demo, local, tmp_path
):
    spec, platform = compiled("kubeflow"), Kubeflow(ROOTS["kubeflow"], tmp_path)
    run_and_compare(spec, platform, demo, local)
    made = run_spec(spec, platform, only={"Baseline", "Evaluator"})
    evaluation = platform.folder_of(made["Evaluator"]["evaluation"])
    # The launcher gives no task what lies in another run: it was copied.
    remembered = Path(compared_with(evaluation))
    assert remembered.is_relative_to(demo.parent / "kubeflow.blessed")
    assert (remembered / "Format-Serving" / "saved_model.pb").is_file()
    # Fine-tuning reads pictures of an artifact that TFX does not declare to the Trainer.
    tuned = compiled("kubeflow", train__mode="fine_tune")
    made = run_spec(tuned, platform, {"epochs": 2, "fine_tune_epochs": 1}, only={"Trainer"})
    history = platform.folder_of(made["Trainer"]["model_run"]) / "history.json"
    assert len(json.loads(history.read_text())["eval_loss"]) == 3


def test_a_run_says_which_span_is_the_last(compiled, demo, tmp_path):
    spans = demo.parent / "spans"
    for span, pictures in enumerate((slice(0, 10), slice(10, 20))):
        for digit in (demo.parent / "pictures").iterdir():
            (spans / str(span) / digit.name).mkdir(parents=True)
            for picture in sorted(digit.iterdir())[pictures]:
                shutil.copy(picture, spans / str(span) / digit.name)
    changes = {"data__source__path": spans / "{SPAN}", "data__spans": "{last: 2, to: 0}"}
    spec = compiled("kubeflow", **changes, cache__spans=demo.parent / "kept")
    platform = Kubeflow(ROOTS["kubeflow"], tmp_path)

    def read(**parameters):
        made = run_spec(spec, platform, parameters, only={"ExampleGen"})["ExampleGen"]["examples"]
        ingest = json.loads((platform.folder_of(made) / "ingest.json").read_text())
        window = {one["name"]: one["state"] for one in ingest["spans"]}
        return window, sum(ingest["examples"].values()), made["metadata"]["custom:span"]

    assert read() == ({"0": "new"}, 100, 0)
    assert read(span="") == ({"0": "kept", "1": "new"}, 200, 1)
