"""Exports in a whole pipeline: beside what is pushed, and with the gate's own figures."""

import csv
import random
from pathlib import Path

import pytest
import tensorflow as tf

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CONFIG = """\
name: fruit
data: {source: {kind: csv, path: fruit.csv}}
features:
  weight: {kind: numeric}
  colour: {kind: categorical}
label: {name: traits, task: multilabel}
train: {epochs: 20}
export: [tflite]
push: {path: served}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """300 fruits, whose traits follow from weight and colour, nearly."""
    folder = tmp_path_factory.mktemp("fruit")
    chance = random.Random(0)
    with (folder / "fruit.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["weight", "colour", "traits"])
        for _ in range(300):
            colour = chance.choice(["red", "green", "yellow"])
            weight = chance.gauss({"red": 150, "green": 500, "yellow": 120}[colour], 60)
            traits = ["heavy"] * (chance.gauss(weight, 40) > 200) + ["warm"] * (colour != "green")
            writer.writerow([f"{weight:.1f}", colour, "|".join(traits)])
    (folder / "fruit.yaml").write_text(CONFIG)
    return folder


def test_exports_are_pushed_with_the_gates_figures_and_made_anew_alone(graft, folder):
    first = graft("run", "fruit.yaml", "--json", cwd=folder)
    assert first.code == 0, first.err
    report = first.summary["exports"]
    (export,) = report["exports"]
    assert (report["metric"], export["state"]) == ("f1", "made")
    gate = first.summary["metrics"]["eval"]["f1"]
    assert report["saved_model"]["value"] == pytest.approx(gate, abs=1e-6)
    assert export["value"] == pytest.approx(gate, abs=1e-6)

    again = graft("run", "fruit.yaml", "--json", "--set", "export=[tflite,tflite_fp16]", cwd=folder)
    assert again.code == 0, again.err
    assert (again.states["Trainer"], again.states["Exporter"]) == ("cached", "run")
    pushed = again.summary["pushed"]
    exports = Path(pushed["path"], str(pushed["version"]), "exports")
    assert {one.name for one in exports.iterdir() if one.is_dir()} == {"tflite", "tflite_fp16"}
    interpreter = tf.lite.Interpreter(str(exports / "tflite_fp16" / "model.tflite"))
    assert set(interpreter.get_signature_list()) == {"serving_tensors"}
    assert (exports / "tflite" / "labels.txt").read_text().split() == ["warm", "heavy"]
