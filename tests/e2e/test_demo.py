"""The demo from pictures to a pushed model, run again, and run with changed code."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipeline", "serving", "components", "trainer", "preprocessing", "examples")

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(graft, folder):
    result = graft("demo", "--json", "--workdir", "work", cwd=folder)
    assert result.code == 0, result.err
    return result


def test_every_component_runs_once(first):
    assert set(first.states) == {
        "Backbones",
        "Baseline",
        "ExampleGen",
        "ImportSchemaGen",
        "StatisticsGen",
        "ExampleValidator",
        "Transform",
        "Embedder",
        "Trainer",
        "Evaluator",
        "TestEvaluator",
        "ServingValidator",
        "ModelCard",
        "Pusher",
    }
    assert set(first.states.values()) == {"run"}


def test_every_digit_is_in_one_split(first):
    summary = first.summary
    assert sum(summary["examples"].values()) == 1797
    assert summary["quarantined"] == 0
    assert summary["anomalies"] == []


def test_the_model_is_good_blessed_and_pushed(first, folder):
    summary = first.summary
    assert summary["metrics"]["eval"]["accuracy"] >= 0.95
    assert summary["metrics"]["test"]["accuracy"] >= 0.95
    assert summary["blessed"]
    assert summary["reasons"][0].startswith("passed: accuracy 0.9")
    assert summary["reasons"][1].endswith("the last blessed model: none yet")
    version = Path(summary["pushed"]["path"]) / str(summary["pushed"]["version"])
    assert version.parent == folder / "work" / "serving" / "digits"
    assert {path.name for path in version.iterdir()} >= {
        "saved_model.pb",
        "manifest.json",
        "model_card.json",
        "model_card.md",
    }
    assert (version / "assets.extra" / "tf_serving_warmup_requests").is_file()


def test_what_is_served_was_tried_as_a_server_would(first):
    serving = first.summary["serving"]
    assert serving["blessed"]
    assert serving["text_ops"] == []
    whole = {one["signature"]: one for one in serving["parity"]}
    assert set(whole) >= {"serving_default", "serving_examples"}
    # The signature that serves is tried with every example, the others with some.
    assert {name: one["examples"] for name, one in whole.items()} == {
        name: 180 if name == "serving_default" else 64 for name in whole
    }
    for one in whole.values():
        assert one["other_labels"] == 0
        assert one["largest_difference"] <= 1e-4


def test_the_model_card_has_the_figures_of_the_summary(first):
    pushed = first.summary["pushed"]
    card = json.loads(
        (Path(pushed["path"]) / str(pushed["version"]) / "model_card.json").read_text()
    )
    assert card["metrics"] == first.summary["metrics"]
    assert card["data"]["examples"] == first.summary["examples"]
    assert card["run_id"] == first.summary["run_id"]
    assert "Latency, batch 1" in card["serving"]


def test_held_out_digits_are_classified_by_the_pushed_model(first):
    predictions = first.summary["predictions"]
    assert len(predictions) == 5
    assert sum(one["predicted"] == one["actual"] for one in predictions) >= 4


def test_the_summary_also_stands_in_the_run_folder(first, folder):
    written = folder / "work" / ".graft" / "runs" / first.summary["run_id"] / "summary.json"
    assert json.loads(written.read_text())["metrics"] == first.summary["metrics"]


def test_nothing_of_what_libraries_log_reaches_the_terminal(first):
    lines = first.err.splitlines()
    assert [line for line in lines if not line.split(":")[0].replace(" ", "").isalnum()] == []
    assert Path(first.summary["log"]).stat().st_size > 10_000


def test_the_training_logs_are_there(first):
    assert list(Path(first.summary["tensorboard"]).rglob("events.out.tfevents.*"))


def test_a_second_run_does_nothing_again_and_keeps_the_version(graft, first, folder):
    second = graft("run", "work/digits.yaml", "--json", cwd=folder)
    assert second.code == 0, second.err
    again = {name for name, state in second.states.items() if state == "run"}
    # The model is now its own baseline, so the gate has something new to compare.
    assert again == {"Backbones", "Baseline", "Evaluator", "ModelCard", "Pusher"}
    assert second.summary["pushed"]["version"] == first.summary["pushed"]["version"]
    assert "the last blessed model's 0.9" in second.summary["reasons"][1]


def test_another_head_costs_no_pass(graft, first, folder):
    other = graft(
        "run", "work/digits.yaml", "--set", "train.head.hidden=[32]", "--json", cwd=folder
    )
    assert other.code == 0, other.err
    assert other.states["Trainer"] == "run"
    assert other.states["Embedder"] == other.states["Transform"] == "cached"


@pytest.mark.parametrize(
    ("file", "again", "kept"),
    [
        ("trainer/heads.py", {"Trainer"}, {"ExampleGen", "Transform", "Embedder"}),
        ("preprocessing/image.py", {"Transform", "Embedder", "Trainer"}, {"ExampleGen"}),
    ],
)
def test_a_changed_line_of_code_runs_what_depends_on_it(
    graft, first, folder, tmp_path, file, again, kept
):
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    with (tmp_path / file).open("a") as opened:
        opened.write("# a changed line\n")
    changed = graft("run", "work/digits.yaml", "--json", cwd=folder, code=tmp_path)
    assert changed.code == 0, changed.err
    assert {changed.states[name] for name in again} == {"run"}
    assert {changed.states[name] for name in kept} == {"cached"}


def test_a_model_that_is_not_good_enough_is_not_pushed_and_says_why(graft, first, folder):
    before = sorted((folder / "work" / "serving" / "digits").iterdir())
    strict = graft(
        "run",
        "work/digits.yaml",
        "--set",
        "evaluate.thresholds.accuracy.min=1.0",
        "--set",
        "train.epochs=1",
        "--json",
        cwd=folder,
    )
    assert strict.code == 3, strict.err
    assert not strict.summary["blessed"]
    assert strict.summary["pushed"] is None
    assert strict.summary["reasons"][0].startswith("failed: accuracy 0.")
    assert sorted((folder / "work" / "serving" / "digits").iterdir()) == before


def test_the_command_line_is_what_the_readme_says(graft, folder):
    assert graft("--version", cwd=folder).out.startswith("graft ")
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    assert {line.split()[1] for line in done.stdout.splitlines()} >= {"demo", "test", "setup"}
