"""Classifiers are told from feature vectors, on models as Keras and tf.Module save them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.handles import Handle
from trainer.backbones.hub import describe
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

ROOT = Path(__file__).parents[3]
FEATURE_VECTORS = [
    ROOT / "examples" / "digits" / "backbone",
    *sorted((ROOT.parent / "shared" / "backbones" / "hub").glob("*")),
]
DENSE = "its last layer is dense and has no activation"
layers = tf_keras.layers


def keras(*top):
    """A picture's mean colour, then some layers."""
    picture = [tf_keras.Input([8, 8, 3]), layers.GlobalAveragePooling2D(name="pool")]
    return tf_keras.Sequential([*picture, *top])


class Slim(tf.Module):
    """Logits by a convolution over a picture of one pixel, as in the first MobileNets."""

    def __init__(self, bias=lambda y, b: tf.nn.bias_add(y, b)):
        super().__init__()
        self.kernel, self.bias, self.add = (
            tf.Variable(tf.ones([1, 1, 3, 4])),
            tf.Variable([0.0] * 4),
            bias,
        )

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32)])
    def __call__(self, images):
        pooled = tf.reduce_mean(images, [1, 2], keepdims=True)
        return tf.squeeze(self.add(tf.nn.conv2d(pooled, self.kernel, 1, "SAME"), self.bias), [1, 2])


def refusal(tmp_path, model, name="model", **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, model, name, **config)
    return str(caught.value)


def get(tmp_path, model, name="model", signature=None, **config):
    if isinstance(model, tf_keras.Model):
        model.save(tmp_path / name, save_format="tf")
    else:
        call = model.__call__
        signatures = signature and tf.function(
            lambda images: {signature: call(images)}, input_signature=call.input_signature
        )
        tf.saved_model.save(model, str(tmp_path / name), signatures=signatures)
    config = BackboneConfig(handle=f"hub:{name}", **config)
    return vendor(config, tmp_path / "store", tmp_path, "image")


def message(signs, received="model"):
    return (
        f"The model gives the scores of classes, not a feature vector ({signs}). Take its "
        "feature_vector variant, or its scores with `use_logits: true`.\n"
        f"  Received: {received!r}"
    )


@pytest.mark.parametrize("folder", FEATURE_VECTORS, ids=lambda one: one.name)
def test_real_feature_vectors_are_taken(folder):
    config = BackboneConfig(handle=f"hub:{folder}")
    handle = Handle(kind="hub", form="path", target=str(folder), modality="image")
    assert describe(config, handle, folder).feature_width in (128, 1280)


@pytest.mark.parametrize(
    ("top", "signs"),
    [
        ([layers.Dense(5)], DENSE),
        ([layers.Dense(5), layers.Activation("linear")], DENSE),
        ([layers.Dense(5), layers.Softmax()], "its last layer is a softmax"),
        ([layers.Dense(5, "sigmoid")], "its last layer is a sigmoid"),
        ([layers.Dense(5, name="logits")], f"its output is called logits, {DENSE}"),
        (
            [layers.Dense(1000)],
            f"{DENSE}, it gives 1000 numbers, as many as ImageNet has classes",
        ),
    ],
)
@pytest.mark.slow
def test_a_keras_classifier_is_refused_by_what_it_ends_in(tmp_path, top, signs):
    assert refusal(tmp_path, keras(*top)) == message(signs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "top", [[], [layers.Dense(5, "relu")], [layers.Dense(5), layers.BatchNormalization()]]
)
def test_a_keras_feature_vector_is_taken(tmp_path, top):
    assert get(tmp_path, keras(*top)).feature_width == (5 if top else 3)


@pytest.mark.parametrize(
    "bias", [lambda y, b: tf.nn.bias_add(y, b), lambda y, b: y + b], ids=["BiasAdd", "AddV2"]
)
def test_logits_by_a_convolution_are_refused(tmp_path, bias):
    assert refusal(tmp_path, Slim(bias)) == message(DENSE)


def test_a_sum_of_two_layers_is_no_dense_layer(tmp_path):
    assert get(tmp_path, Slim(lambda y, b: y + tf.nn.relu(y))).feature_width == 4


def test_a_model_that_calls_its_output_a_feature_vector_is_believed(tmp_path):
    assert get(tmp_path, Slim(), signature="feature_vector").feature_width == 4
    other = refusal(tmp_path, Slim(), "other", signature="scores")
    assert other == message(f"its output is called scores, {DENSE}", "other")


def test_its_handle_gives_a_classifier_away(tmp_path, tiny, tar_of, server, answer):
    for path, refused in [
        ("/tensorflow/efficientnet/b0/classification/1", True),
        ("/google/efficientnet/tensorFlow2/b0-classification/1", True),
        ("/classification_tools/vector/1", False),
    ]:
        server.answers[path] = answer(body=tar_of(tiny))
        config = BackboneConfig(handle=f"hub:{server.url(path)}")
        if not refused:
            assert vendor(config, tmp_path / "store", tmp_path).feature_width == 4
            continue
        with pytest.raises(BackboneError) as caught:
            vendor(config, tmp_path / "store", tmp_path)
        assert str(caught.value) == message("its handle says classification", server.url(path))


def test_the_scores_are_taken_where_the_config_says_so(tmp_path):
    backbone = get(tmp_path, Slim(), use_logits=True)
    np.testing.assert_allclose(load(backbone)(tf.ones([2, 8, 8, 3])), np.full([2, 4], 3.0))
