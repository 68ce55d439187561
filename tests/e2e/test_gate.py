"""Which model is compared with, run after run: refused, set aside, blessed again, gone and back."""

import random
import shutil
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.session import run_pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CONFIG = """\
name: fruit
data: {source: {kind: csv, path: fruit.csv}}
features:
  weight: {kind: numeric}
  colour: {kind: categorical}
label: {name: kind}
train: {epochs: 15, calibrate: temperature}
evaluate:
  thresholds: {accuracy: {min: 0.05}, loss: {no_worse_than_baseline_by: 0.0}}
  slices: [[shop], [shop, colour]]
  slice_thresholds: {ece: {max: 0.9}}
  min_slice_examples: 12
validate: {validator: none}
"""
# Sure of nothing.
WORSE = ("train.epochs=1", "train.learning_rate=1e-6", "train.calibrate=null")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs the whole pipeline in this process, which has TFX already."""
    folder = tmp_path_factory.mktemp("fruit")
    chance = random.Random(0)
    rows = ["weight,colour,shop,kind"]
    for _ in range(400):
        colour, shop = chance.choice(["red", "green"]), chance.choice("aab")
        weight = chance.gauss({"red": 150, "green": 900}[colour], 30)
        kind = "melon" if weight > 400 else chance.choice(["apple", "pear"])
        rows.append(f"{weight:.1f},{colour},{shop},{kind}")
    (folder / "fruit.csv").write_text("\n".join(rows) + "\n")
    (folder / "fruit.yaml").write_text(CONFIG)

    def run(*overrides, rebaseline=False):
        config = load_config(folder / "fruit.yaml", overrides)
        summary = run_pipeline(config, cache=True, rebaseline=rebaseline)
        return summary, {one.name: one.state for one in summary.components}

    return run


def test_the_baseline_is_the_model_that_was_blessed_last_and_nothing_else(run, tmp_path):
    first, _ = run()
    assert first.exit_code == 0
    assert first.baseline == "there is no blessed model yet, so only absolute thresholds count"
    assert first.training_notes[0].startswith("Temperature ")
    assert sum(one.count for one in first.reliability["eval"]) == first.examples["eval"]
    sliced = [one for one in first.gate.judgements if one.slice]
    assert {tuple(one.slice) for one in sliced} == {("shop",), ("colour", "shop")}
    assert all(one.examples >= 12 for one in sliced)
    assert all(one.metrics["examples"] < 12 for one in first.gate.small)

    worse, _ = run(*WORSE)
    assert worse.exit_code == 3
    assert worse.gate.baseline.model == folder_of(first.model)
    assert worse.reasons[1].startswith("failed: loss 1.0")

    # The very model that was just refused: the verdict must not come from the cache.
    aside, states = run(*WORSE, rebaseline=True)
    assert aside.exit_code == 0
    assert (states["Trainer"], states["Evaluator"]) == ("cached", "run")
    assert "is set aside (--rebaseline)" in aside.baseline

    # The first model again, older than the one that took its place.
    back, states = run()
    assert back.exit_code == 0
    assert (states["Trainer"], states["Evaluator"]) == ("cached", "run")
    assert back.gate.baseline.model == folder_of(aside.model)
    assert back.model == first.model

    gone = shutil.move(folder_of(first.model), tmp_path / "gone")
    other, _ = run("train.epochs=14")
    assert other.exit_code == 3
    assert other.baseline == (
        f"the last blessed model, {folder_of(first.model)}, cannot be compared with: its folder is "
        "gone. Restore it, or run once with --rebaseline: then only absolute thresholds count, "
        "and a model that is blessed takes its place"
    )
    assert other.reasons[1].endswith("the last blessed model: it cannot be compared with")

    shutil.move(gone, folder_of(first.model))
    restored, states = run("train.epochs=14")
    assert (states["Trainer"], states["Evaluator"]) == ("cached", "run")
    assert restored.gate.baseline.state == "compared"
    assert restored.gate.baseline.model == folder_of(first.model)


def folder_of(model):
    """The artifact's, which the SavedModel lies in."""
    return str(Path(model).parent)
