"""Which variables are trained: counted from the output, each once, one error otherwise."""

import pytest
import tensorflow as tf

from preprocessing.errors import ConfigError
from trainer.config import LastLayers
from trainer.fine_tune.unfreeze import choose_variables


class Layered:
    """Stands for a backbone: only its layers count."""

    def __init__(self, *layers):
        self.layers = [[tf.Variable(0.0, name=name) for name in layer] for layer in layers]


def names(variables):
    return [variable.name.removesuffix(":0") for variable in variables]


def test_all_is_every_layer_of_every_backbone_once():
    shared, other = Layered("ab", "c"), Layered("d")
    chosen = choose_variables({"one": shared, "two": shared, "three": other}, "all")
    assert names(chosen) == ["a", "b", "c", "d"]


def test_the_last_layers_are_those_nearest_to_the_head():
    chosen = choose_variables(
        {"one": Layered("a", "bc", "d"), "frozen": Layered()}, LastLayers(last=2)
    )
    assert names(chosen) == ["b", "c", "d"]


def test_more_layers_than_there_are_is_one_clear_error():
    with pytest.raises(ConfigError) as caught:
        choose_variables({"photo": Layered("a", "b")}, LastLayers(last=3))
    assert str(caught.value) == (
        "train.fine_tune.unfreeze.last is more than the backbone of 'photo' has: 2 layers.\n"
        "  Received: 3\n"
        "  Valid: all, 1 to 2"
    )


@pytest.mark.parametrize(
    ("backbones", "received"),
    [({"b": Layered(), "a": Layered()}, "'a, b'"), ({}, "'no image and no text'")],
)
def test_nothing_to_train_is_one_clear_error(backbones, received):
    with pytest.raises(ConfigError) as caught:
        choose_variables(backbones, "all")
    assert str(caught.value) == (
        "train.mode: fine_tune needs a backbone whose variables can be trained, and none of these "
        "has any. Take another backbone, or train.mode: frozen.\n"
        f"  Received: {received}"
    )


def test_a_saved_models_layers_are_trained_and_its_statistics_are_not(extractor):
    assert names(choose_variables(extractor.backbones, "all")) == [
        "first/kernel",
        "first/bias",
        "norm/gamma",
        "norm/beta",
        "second/kernel",
        "second/bias",
    ]
