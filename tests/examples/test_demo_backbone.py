"""The SavedModel in the repository is what the demo and the README say it is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from preprocessing.config import BackboneConfig
from trainer.backbones.handles import parse_handle
from trainer.backbones.hub import describe

ROOT = Path(__file__).parents[2]
BACKBONE = ROOT / "examples" / "digits" / "backbone"
WIDTH = 128


def check_interface(folder):
    loaded = hub.load(str(folder))
    vectors = loaded(tf.random.stateless_uniform([3, 32, 32, 3], seed=[0, 0]))
    assert (vectors.shape, vectors.dtype) == ([3, WIDTH], tf.float32)
    assert np.ptp(vectors.numpy(), axis=0).max() > 0
    assert len(loaded.variables) == len(loaded.trainable_variables) == 12
    assert list(loaded.regularization_losses) == []
    return loaded


def test_it_is_a_third_of_a_million_parameters_in_less_than_two_megabytes():
    files = [path for path in BACKBONE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 2_000_000

    parameters = sum(np.prod(variable.shape) for variable in hub.load(str(BACKBONE)).variables)
    assert 250_000 <= parameters <= 350_000


def test_it_has_the_interface_of_a_reusable_image_feature_vector():
    loaded = check_interface(BACKBONE)

    signature = loaded.signatures["serving_default"]
    pictures = tf.random.stateless_uniform([2, 32, 32, 3], seed=[1, 1])
    np.testing.assert_allclose(
        signature(inputs=pictures)["feature_vector"], loaded(pictures), rtol=1e-5
    )


def test_its_input_size_is_read_without_loading_it():
    config = BackboneConfig(handle="hub:backbone")

    interface = describe(config, parse_handle(config, "image"), BACKBONE)

    assert (interface.input.height, interface.input.width) == (32, 32)
    assert interface.feature_width == WIDTH


@pytest.mark.slow
def test_a_keras_layer_can_train_it():
    layer = hub.KerasLayer(str(BACKBONE), trainable=True)

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.random.stateless_uniform([4, 32, 32, 3], seed=[2, 2])))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == 12
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_it_says_nothing_about_the_machine_that_made_it():
    content = b"".join(path.read_bytes() for path in BACKBONE.rglob("*") if path.is_file())
    assert not [word for word in (str(ROOT).encode(), b"/home", b"/tmp", b".py") if word in content]


@pytest.mark.slow
def test_ten_labels_per_class_are_worth_far_more_on_its_features_than_on_pixels(script, tmp_path):
    few_labels = script("benchmarks/few_labels.py")
    backbone = hub.load(str(BACKBONE))
    digits = few_labels.read_digits(tmp_path, backbone)
    vectors = backbone(digits.images).numpy()

    transfer, raw = (
        np.mean([few_labels.accuracy(features, digits.labels, 10, seed) for seed in range(3)])
        for features in (vectors, digits.raw)
    )
    assert transfer >= 0.952
    assert transfer >= raw + 0.04


@pytest.mark.slow
def test_the_script_writes_such_a_backbone(tmp_path):
    script = ROOT / "examples" / "digits" / "pretrain.py"
    command = [sys.executable, str(script), "--steps", "2", "--batch-size", "8"]
    subprocess.run([*command, "--output", str(tmp_path / "new")], check=True, cwd=tmp_path)

    check_interface(tmp_path / "new")
