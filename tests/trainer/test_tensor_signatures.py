"""The signatures without strings: the same answers, for those who prepare tensors themselves."""

import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(scope="module")
def signatures(export_colours, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("tensors") / "model")
    export_colours(folder, sharpness=3.0, temperature=2.0, tensors=True)
    loaded = tf.saved_model.load(folder)
    yield loaded.signatures
    del loaded


def serialize(picture):
    feature = {"image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture]))}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def test_tensors_give_what_examples_give(signatures, picture):
    examples = tf.constant([serialize(picture(one)) for one in ([255, 0, 9], [0, 80, 255])])
    tensors = signatures["prepared_examples"](examples=examples)
    assert {name: one.dtype for name, one in tensors.items()} == {"image": tf.float32}
    np.testing.assert_allclose(tensors["image"][0, 0, 0], [1.0, 0.0, 9 / 255], atol=1e-6)
    outputs = signatures["serving_tensors"](**tensors)
    expected = signatures["serving_examples"](examples=examples)
    assert list(outputs) == ["probabilities"]
    np.testing.assert_allclose(outputs["probabilities"], expected["probabilities"], atol=1e-7)


@pytest.mark.parametrize("count", [0, 3])
def test_any_batch_size_is_answered(signatures, count):
    outputs = signatures["serving_tensors"](image=tf.zeros([count, 4, 4, 3]))
    assert outputs["probabilities"].shape == (count, 2)


def test_they_are_there_only_where_they_are_asked_for(colours_model):
    loaded = tf.saved_model.load(str(colours_model))
    assert not {"serving_tensors", "prepared_examples"} & set(loaded.signatures)
