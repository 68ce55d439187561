"""What can be trained of a hub: module, from its input to its output."""

from pathlib import Path

import pytest
import tensorflow as tf

from preprocessing.config import BackboneConfig
from trainer.backbones.hub_layers import trainable_layers
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

SHARED = Path(__file__).parents[4] / "shared" / "backbones" / "hub"


def named(*names):
    module = tf.train.Checkpoint()
    module.trainable_variables = [tf.Variable(0.0, name=name) for name in names]
    return module


def names_of(layers):
    return [[variable.name.partition(":")[0] for variable in layer] for layer in layers]


def test_variables_of_one_layer_stay_together():
    names = ["conv/kernel", "conv/bias", "net/bn/gamma", "net/bn/beta", "net/fc/kernel"]
    assert names_of(trainable_layers(named(*names))) == [names[:2], names[2:4], names[4:]]


@pytest.mark.parametrize("block", ["bert/encoder/layer_._{}", "transformer/layer_{}", "g/block{}"])
def test_a_numbered_block_is_one_layer(block):
    first, second = (
        [f"{block.format(number)}/{part}" for part in ("query/kernel", "output/dense/bias")]
        for number in (1, 11)
    )
    embeddings, pooler = ["bert/embeddings/weight"], ["pooler/kernel", "pooler/bias"]
    layers = trainable_layers(named(*embeddings, *first, *second, *pooler))
    assert names_of(layers) == [embeddings, first, second, pooler]


def test_variables_without_a_layers_name_are_layers_of_their_own():
    assert names_of(trainable_layers(named("a", "b"))) == [["a"], ["b"]]


def test_a_module_that_names_nothing_to_train_has_no_layers(tmp_path, tiny):
    module = load(vendor(BackboneConfig(handle=f"hub:{tiny}"), tmp_path / "store", tmp_path))
    assert module.layers == []


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/backbones beside this checkout")
@pytest.mark.parametrize("size", ["035", "100"])
def test_the_layers_of_a_real_module_run_from_input_to_output(tmp_path, size):
    handle = f"hub:mobilenet_v2_{size}_224_feature_vector"
    module = load(vendor(BackboneConfig(handle=handle), tmp_path / "store", SHARED))
    ordered = [variable for layer in module.layers for variable in layer]
    assert len(module.layers) == 104
    assert (ordered[0].shape, ordered[-1].shape) == ([3, 3, 3, ordered[0].shape[-1]], [1280])
    kernels = [one for one in ordered if "kernel" in one.name]
    widths = [int(one.shape[2]) for one in kernels if one.shape[0] == 1]
    made = [int(one.shape[-1]) for one in kernels if "depthwise" not in one.name]
    # Each pointwise convolution takes what the one before it gives.
    assert widths == made[: len(widths)]
