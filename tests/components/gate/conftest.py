"""Models that serve the numbers which stand in the examples, so that figures can be worked out."""

import numpy as np
import pytest
import tensorflow as tf


class Echo(tf.Module):
    """Serves an example's numbers, as a model of the task would."""

    def __init__(self, task, width, shift=0.0, column="p"):
        super().__init__()
        self.columns = {column: tf.io.FixedLenFeature([width], tf.float32)}
        shape = [width] if task == "multilabel" else []
        kind = tf.float32 if task in ("multilabel", "regression") else tf.int64
        self.label = {"y": tf.io.FixedLenFeature(shape, kind)}
        self.task = task
        self.shift = shift
        self.column = column
        self.weight = tf.Variable(1.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(self, examples):
        p = tf.io.parse_example(examples, self.columns)[self.column] * self.weight + self.shift
        if self.task == "regression":
            return {"value": p[:, 0]}
        return {"label": tf.as_string(tf.argmax(p, axis=-1)), "probabilities": p}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def labels(self, examples):
        return {"label_id": tf.io.parse_example(examples, self.label)["y"]}

    def save(self, folder, labels="transformed_labels"):
        signatures = {"serving_examples": self.serve, labels: self.labels}
        tf.saved_model.save(self, str(folder), signatures=signatures)


def make_example(p, y, **words):
    """Serializes one: the last of its numbers says what group it is of."""
    y = np.atleast_1d(y)
    p = np.atleast_1d(p)
    words = {"group": "high" if p[-1] >= 0.5 else "low", **words}
    features = {
        "p": tf.train.Feature(float_list=tf.train.FloatList(value=p)),
        "y": tf.train.Feature(int64_list=tf.train.Int64List(value=y))
        if y.dtype.kind == "i"
        else tf.train.Feature(float_list=tf.train.FloatList(value=y)),
        **{
            name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[word.encode()]))
            for name, word in words.items()
        },
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture(scope="session")
def echo():
    return Echo


@pytest.fixture(scope="session")
def example():
    return make_example
