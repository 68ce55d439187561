"""A model of one number whose answers can be worked out, and inputs for it."""

import csv
import json

import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from preprocessing.config import CategoricalFeature, LabelConfig, NumericFeature
from preprocessing.model_info import ModelInfo, write_model_info
from serving.batch.request import BatchRequest
from serving.batch.run import predict_batch
from trainer.tasks.registry import TASKS

LABELS = {
    "multiclass": (LabelConfig(), ("dear", "cheap")),
    "binary": (LabelConfig(task="binary", positive="dear"), ("cheap", "dear")),
    "multilabel": (LabelConfig(task="multilabel", separator=";"), ("dear", "cheap")),
    "regression": (LabelConfig(task="regression", name="worth"), ()),
}


class Prices(tf.Module):
    """Logits price² and -price; refuses prices of a million or more."""

    def __init__(self, task):
        super().__init__()
        self._task = task

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        columns = {"price": tf.io.FixedLenFeature([], tf.float32, float("nan"))}
        price = tf.io.parse_example(examples, columns)["price"]
        price = tf.where(tf.math.is_nan(price), 0.0, price)
        label, classes = LABELS[self._task]
        with tf.control_dependencies(
            [tf.debugging.assert_none_equal(price, 1e6, message="a million")]
        ):
            logits = tf.stack([price * tf.abs(price), -price], axis=-1)
        return TASKS[self._task].predict(logits, classes, label)


@pytest.fixture(scope="session")
def prices_model(tmp_path_factory):
    """Saves such a model for a task, with what it takes beside it."""

    def save(task):
        folder = str(tmp_path_factory.mktemp(task) / "model")
        module = Prices(task)
        tf.saved_model.save(module, folder, {"serving_examples": module.serve})
        label, classes = LABELS[task]
        features = {
            "price": NumericFeature(kind="numeric", column="retail_price"),
            "brand": CategoricalFeature(kind="categorical", missing="default"),
        }
        write_model_info(
            ModelInfo(features=features, images={}, label=label, classes=classes), folder
        )
        return folder

    models = {task: save(task) for task in LABELS}
    return models.__getitem__


@pytest.fixture
def table(tmp_path):
    """Writes a table of rows; a number stands for a price alone."""

    def write(*rows, header="retail_price,brand", name="goods.csv"):
        lines = [row if isinstance(row, str) else f"{row}," for row in rows]
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def predict(tmp_path):
    """Predicts into a file of `tmp_path`, and gives the report and the rows."""

    def run(model, source, output="out.jsonl", **options):
        path = tmp_path / output
        request = BatchRequest(model=str(model), input=str(source), output=str(path), **options)
        return predict_batch(request), read_output(path)

    return run


def read_output(path):
    """Reads an output with the library that its users have."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.DictReader(file))
        return [json.loads(line) for line in file]
