"""Every task through the whole pipeline, on a table of numbers and words with values missing."""

import csv
import json
import random
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CONFIG = """\
name: fruit
data: {source: {kind: csv, path: fruit.csv}}
features:
  weight: {kind: numeric, missing: default}
  colour: {kind: categorical, column: skin, missing: default}
label: %s
train: {epochs: 15, head: {function: "heads:build", arguments: {width: 8}}}
evaluate: {slices: [[colour], [shop]]}
predict: {source: {kind: csv, path: new.csv}, max_quarantined_share: 0.1}
push: {path: served}
"""
HEAD = """\
import tf_keras


def build(inputs, units, width):
    given = {name: tf_keras.Input([one.width], name=name) for name, one in inputs.items()}
    flow = tf_keras.layers.Concatenate()(list(given.values()))
    flow = tf_keras.layers.Dense(width, activation="relu")(flow)
    return tf_keras.Model(given, tf_keras.layers.Dense(units)(flow))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """300 fruits; what they are follows from weight and colour, nearly."""
    folder = tmp_path_factory.mktemp("fruit")
    (folder / "heads.py").write_text(HEAD)
    chance = random.Random(0)
    with (folder / "fruit.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["weight", "skin", "shop", "kind", "traits", "price"])
        for row in range(300):
            colour = chance.choice(["red", "green", "yellow"])
            weight = chance.gauss({"red": 150, "green": 900, "yellow": 120}[colour], 30)
            traits = ["heavy"] * (weight > 400) + ["warm"] * (colour != "green")
            shown = "" if row % 30 == 0 else f"{weight:.1f}"
            kind = "melon" if weight > 400 else "other"
            price = weight / 100 + chance.gauss(0, 0.1)
            shop = chance.choice("ab")
            writer.writerow([shown, colour, shop, kind, "|".join(traits), f"{price:.2f}"])
    rows = [f"{140 + row},red" for row in range(10)] + [f"{890 + row},green" for row in range(10)]
    (folder / "new.csv").write_text("\n".join(["weight,skin", "n/a,red", *rows]) + "\n")
    return folder


TASKS = {
    "binary": (
        "{name: kind, task: binary, positive: melon}",
        ["accuracy", "auc", "precision", "recall", "f1", "ece"],
        ["melon", "other"],
    ),
    "multilabel": (
        "{name: traits, task: multilabel}",
        ["accuracy", "auc", "precision", "recall", "f1", "ece"],
        ["heavy", "warm"],
    ),
    "regression": ("{name: price, task: regression}", ["mae", "rmse", "r2"], []),
}


@pytest.mark.parametrize("task", ["binary", "multilabel", "regression"])
def test_a_task_goes_from_a_table_to_a_pushed_model(graft, folder, task):
    label, metrics, classes = TASKS[task]
    config = folder / f"{task}.yaml"
    config.write_text(CONFIG.replace("fruit\n", f"{task}\n", 1) % label)
    result = graft("run", config.name, "--json", cwd=folder)
    assert result.code == 0, result.err
    summary = result.summary
    assert summary["task"] == task
    assert list(summary["metrics"]["eval"]) == [*metrics, "examples"]
    assert [one["name"] for one in summary["classes"].get("eval", [])] == classes
    assert sum(summary["missing"]["weight"].values()) == 10
    assert "colour" not in summary["missing"]
    assert {key for one in summary["slices"]["eval"] for key in one["slice"]} == {"colour", "shop"}
    assert summary["history"]["eval_loss"]
    assert summary["blessed"]
    if task == "regression":
        assert summary["metrics"]["test"]["r2"] > 0.5
    else:
        assert summary["metrics"]["test"]["f1"] > 0.8
    predicted = summary["predicted"]
    assert (predicted["rows"], predicted["quarantined"]) == (20, 1)
    examples = read_examples(predicted["path"])
    assert sorted(examples) == sorted(f"new.csv:{row}" for row in range(3, 23))
    if task != "regression":
        names = {"binary": ("other", "melon"), "multilabel": ("warm", "heavy")}[task]
        said = [examples[f"new.csv:{row}"]["predicted_label"].bytes_list for row in (3, 22)]
        assert [one.value[0].decode() for one in said] == list(names)
    if task == "regression":
        values = [examples[f"new.csv:{row}"]["predicted_value"].float_list for row in (3, 22)]
        assert values[0].value[0] < values[1].value[0]
        check_graft_predict_agrees(graft, folder, summary["model"], examples)
    else:
        label = examples["new.csv:22"]["predicted_label"].bytes_list.value
        assert label == [{"binary": b"melon", "multilabel": b"heavy"}[task]]


def check_graft_predict_agrees(graft, folder, model, examples):
    """What we say of a table is what the stock BulkInferrer says of it."""
    options = ("-o", "new.jsonl", "--max-unreadable", "0.1")
    done = graft("predict", model, "new.csv", *options, cwd=folder)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in (folder / "new.jsonl").read_text().splitlines()]
    assert len(lines) == len(examples)
    for line in lines:
        stock = examples[line["source"]]["predicted_value"].float_list.value[0]
        assert line["value"] == pytest.approx(stock, abs=1e-5)


def read_examples(folder):
    """The columns of each example by its source."""
    import tensorflow as tf

    files = [str(path) for path in Path(folder).iterdir()]
    records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    examples = [tf.train.Example.FromString(record).features.feature for record in records]
    return {one["source"].bytes_list.value[0].decode(): one for one in examples}


def test_a_changed_line_of_the_users_head_trains_again_and_nothing_before_it(graft, folder):
    (folder / "again.yaml").write_text(CONFIG % TASKS["binary"][0])
    assert graft("run", "again.yaml", "--json", cwd=folder).code == 0
    (folder / "heads.py").write_text(HEAD + "# Another line.\n")
    again = graft("run", "again.yaml", "--json", cwd=folder)
    assert again.code == 0, again.err
    assert (again.states["Embedder"], again.states["Trainer"]) == ("cached", "run")
    assert "compared with the last blessed model" in again.summary["baseline"]
