"""A SavedModel loaded for one call answers it to the last bit, and keeps nothing else."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

from trainer.backbones.hub_image import find_call
from trainer.backbones.saved_model import read_graph
from trainer.backbones.saved_prune import load_call, prune


class Squares(tf.Module):
    """One function calls another, has a gradient of its own, and a third is not called."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable([3.0, 2.0, 1.0])
        self.variables_ = [self.scale]

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3])])
    def __call__(self, pictures):
        return self.inner(tf.reduce_mean(pictures, [1, 2])) * self.scale

    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def inner(self, rows):
        @tf.custom_gradient
        def square(x):
            return x * x, lambda upstream: upstream * 5.0 * x

        return square(rows)

    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def other(self, rows):
        return tf.sin(rows)


@pytest.fixture
def squares(tmp_path):
    folder = tmp_path / "model"
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    tf.saved_model.save(Squares(), str(folder), options=options)
    return folder


def load(folder):
    graph = read_graph(folder, "here")
    call = find_call(graph, "here")
    return call.of(load_call(folder, graph, call)), graph, call


def gradient(function, pictures):
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        total = tf.reduce_sum(function(pictures))
    return tape.gradient(total, pictures).numpy()


def test_what_the_call_does_not_reach_is_left_out(squares):
    _, graph, call = load(squares)
    functions = {one.signature.name for one in graph.graph_def.library.function}
    kept = {one.signature.name for one in prune(graph, call.function).graph_def.library.function}
    assert any("__inference_other" in name for name in functions)
    assert not any("__inference_other" in name for name in kept)
    assert {call.function} < kept < functions


def test_answers_and_gradients_stay_the_same(squares):
    pictures = tf.random.stateless_uniform([2, 8, 8, 3], [1, 2])
    ours, theirs = load(squares)[0], hub.load(str(squares))
    np.testing.assert_array_equal(ours(pictures), theirs(pictures))
    np.testing.assert_array_equal(gradient(ours, pictures), gradient(theirs, pictures))
    assert gradient(ours, pictures).any()


def test_a_keras_model_keeps_its_variables_and_loses_its_layers_functions(tmp_path):
    layers = [tf_keras.layers.Conv2D(4, 3), tf_keras.layers.GlobalAveragePooling2D()]
    model = tf_keras.Sequential([tf_keras.Input([8, 8, 3]), *layers])
    model.save(tmp_path / "model", save_format="tf")
    graph = read_graph(tmp_path / "model", "here")
    call = find_call(graph, "here")
    loaded = load_call(tmp_path / "model", graph, call)
    pictures = tf.random.stateless_uniform([2, 8, 8, 3], [1, 2])
    np.testing.assert_allclose(call.of(loaded)(pictures), model(pictures), rtol=1e-6)
    assert [one.name for one in loaded.trainable_variables] == [
        one.name for one in model.trainable_variables
    ]
    kept = prune(graph, call.function).graph_def.library.function
    assert len(kept) < len(graph.graph_def.library.function) / 3


def test_a_model_with_tables_is_loaded_whole(tmp_path):
    class Words(tf.Module):
        def __init__(self):
            super().__init__()
            rows = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1.0, 2.0])
            self.table = tf.lookup.StaticHashTable(rows, 0.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, words):
            return self.table.lookup(words)[:, tf.newaxis]

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def other(self, words):
            return words

    tf.saved_model.save(Words(), str(tmp_path / "model"))
    graph = read_graph(tmp_path / "model", "here")
    call = find_call(graph, "here")
    loaded = load_call(tmp_path / "model", graph, call)
    assert loaded(tf.constant(["b", "c"])).numpy().tolist() == [[2.0], [0.0]]
    assert loaded.other(tf.constant(["x"])).numpy().tolist() == [b"x"]
