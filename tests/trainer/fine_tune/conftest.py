"""A backbone of a few hundred weights with batch norm, and raw examples on disk."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from preprocessing.config import BackboneConfig, ImageFeature, LabelConfig
from trainer.backbones.keras_model import computing_in
from trainer.backbones.module import BackboneModule
from trainer.backbones.vendor import vendor
from trainer.features import FeatureExtractor
from trainer.model_config import ModelConfig


def build_tiny_conv():
    """A convolution, batch norm, a convolution."""
    tf_keras.utils.set_random_seed(3)
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.Conv2D(8, 3, padding="same", input_shape=[4, 4, 3], name="first"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Conv2D(6, 3, padding="same", name="second"),
            layers.GlobalAveragePooling2D(),
        ]
    )


@pytest.fixture(scope="session")
def tiny_conv(tmp_path_factory):
    """The vendored record of `build_tiny_conv`, read as any hub: module."""
    folder = tmp_path_factory.mktemp("tiny_conv")
    build_tiny_conv().save(folder / "model", save_format="tf")
    return vendor(BackboneConfig(handle=f"hub:{folder / 'model'}"), folder / "store", folder)


@pytest.fixture(scope="session")
def model_config(tiny_conv):
    return ModelConfig(
        features={"image": ImageFeature(backbone="hub:any")},
        backbones={"image": tiny_conv},
        label=LabelConfig(),
    )


@pytest.fixture
def extractor(transform_graph, model_config):
    """A new one each time: fine-tuning changes it."""
    return FeatureExtractor(transform_graph, model_config)


@pytest.fixture
def half_extractor(extractor):
    """The same whose backbone computes in half the bits, as keras: and hf: ones do."""

    def build(dtype):
        with computing_in(dtype):
            model = build_tiny_conv()
        layers = [one.trainable_variables for one in model.layers if one.trainable_variables]
        extractor.backbones["image"] = BackboneModule(
            lambda images: tf.cast(model(images, training=False), tf.float32),
            model,
            model.variables,
            extractor.backbones["image"].interface,
            layers=layers,
        )
        return extractor

    return build


@pytest.fixture(scope="session")
def write_examples(tmp_path_factory):
    """Writes noisy red and blue pictures of 4 x 4; every `unknown`th is green."""

    def write(size, seed=0, unknown=0, name="examples"):
        random = np.random.default_rng(seed)
        path = tmp_path_factory.mktemp(name) / "shard"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for number in range(size):
                label = (b"red", b"blue")[number % 2]
                if unknown and number % unknown == 0:
                    label = b"green"
                pixels = random.integers(0, 160, [4, 4, 3])
                pixels[..., 0 if label == b"red" else 2] += 60
                png = tf.io.encode_png(tf.constant(pixels, tf.uint8)).numpy()
                writer.write(serialize(png, label))
        return str(path)

    return write


def serialize(image, label):
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in (("image", image), ("label", label))
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
