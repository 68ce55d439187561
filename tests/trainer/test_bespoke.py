"""A head of the user's own: what is refused, and with which words."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.errors import ConfigError
from trainer.config import HeadConfig
from trainer.head_inputs import HeadInput
from trainer.heads import NormalisedVector, adapt_head, build_head

INPUTS = {
    "image": HeadInput(kind="vector", width=3),
    "price": HeadInput(kind="number", width=1),
}
_SEE = "  See: examples/heads/gated.py"
_HEAD = """
import tf_keras
from trainer.heads import NormalisedVector, scaled_inputs

WIDTH = 3

def build(inputs, units, width=4):
    given, parts = scaled_inputs(inputs)
    flow = tf_keras.layers.Concatenate()(list(parts.values()))
    flow = tf_keras.layers.Dense(width)(flow)
    return tf_keras.Model(given, tf_keras.layers.Dense(units)(flow))

def image_alone(inputs, units):
    image = tf_keras.Input([3], name="image")
    return tf_keras.Model({"image": image}, tf_keras.layers.Dense(units)(image))

class Own(tf_keras.Model):
    def __init__(self, units):
        super().__init__()
        self.normalised = NormalisedVector(name="image_normalised")
        self.logits = tf_keras.layers.Dense(units)

    def call(self, inputs):
        return self.logits(self.normalised(inputs["image"]))

def subclassed(inputs, units):
    return Own(units)

def keras_three(inputs, units):
    import keras
    one = keras.Input([3])
    return keras.Model(one, keras.layers.Dense(units)(one))

def nothing(inputs, units):
    pass

def a_list(inputs, units):
    image = tf_keras.Input([3])
    return tf_keras.Model([image], tf_keras.layers.Dense(units)(image))

def other_name(inputs, units):
    picture = tf_keras.Input([3], name="picture")
    return tf_keras.Model({"picture": picture}, tf_keras.layers.Dense(units)(picture))

def one_too_many(inputs, units):
    image = tf_keras.Input([3], name="image")
    return tf_keras.Model({"image": image}, tf_keras.layers.Dense(units + 1)(image))

def fails(inputs, units):
    raise KeyError("their own")
"""


@pytest.fixture(autouse=True)
def own_heads(tmp_path, monkeypatch):
    """A module of the user's, beside the config file."""
    (tmp_path / "own_heads.py").write_text(_HEAD)
    (tmp_path / "half_heads.py").write_text("import absent_dependency\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "own_heads.py"
    sys.modules.pop("own_heads", None)


def build(function, seed=0, **arguments):
    config = HeadConfig(function=function, arguments=arguments)
    return build_head(config, INPUTS, units=2, seed=seed)


# Keras traces a subclassed model slowly.
SUBCLASSED = pytest.param("subclassed", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["build", "image_alone", SUBCLASSED])
def test_every_way_to_make_a_model_gives_a_head(name):
    head = build(f"own_heads:{name}")
    vectors = {"image": tf.ones([5, 3]), "price": tf.ones([5, 1])}
    assert head(vectors).shape == (5, 2)
    assert head.output_shape == (None, 2)


def test_arguments_reach_the_function_and_the_seed_its_weights():
    first, same, other = (build("own_heads:build", seed, width=7) for seed in (1, 1, 2))
    assert [tuple(one.shape) for one in first.trainable_weights] == [(4, 7), (7,), (7, 2), (2,)]
    np.testing.assert_array_equal(first.trainable_weights[0], same.trainable_weights[0])
    assert not np.array_equal(first.trainable_weights[0], other.trainable_weights[0])


@pytest.mark.parametrize("name", ["build", SUBCLASSED])
def test_statistics_are_set_however_deep_the_layer_lies(name):
    head = build(f"own_heads:{name}")
    adapt_head(head, {"image": np.array([1.0, 2.0, 3.0])}, {"image": np.ones(3)})
    (layer,) = (one for one in head.submodules if isinstance(one, NormalisedVector))
    assert layer.mean.numpy().tolist() == [1, 2, 3]


def refusal(function, **arguments):
    with pytest.raises(ConfigError) as caught:
        build(function, **arguments)
    return str(caught.value)


def test_a_module_that_is_not_there():
    assert refusal("own_haeds:build") == (
        "train.head.function: there is no such module, neither beside the config file nor among "
        "the installed packages\n  Received: 'own_haeds'\n  Valid: own_heads\n"
        f"  Did you mean 'own_heads'?\n{_SEE}"
    )


def test_a_module_that_a_package_lacks():
    assert refusal("xml.eetree:build") == (
        "train.head.function: there is no such module, neither beside the config file nor among "
        "the installed packages\n  Received: 'xml.eetree'\n  Valid: etree\n"
        f"  Did you mean 'etree'?\n{_SEE}"
    )


def test_what_the_module_itself_lacks_is_its_authors_to_read():
    with pytest.raises(ModuleNotFoundError, match="absent_dependency"):
        build("half_heads:build")
    with pytest.raises(KeyError, match="their own"):
        build("own_heads:fails")


@pytest.mark.parametrize(("name", "closest"), [("biuld", "build"), ("WIDTH", None)])
def test_a_function_that_is_not_there(own_heads, name, closest):
    functions = (
        "build, image_alone, subclassed, keras_three, nothing, a_list, other_name, one_too_many, "
        "fails"
    )
    hint = f"  Did you mean {closest!r}?\n" if closest else ""
    assert refusal(f"own_heads:{name}") == (
        f"train.head.function: there is no such function in {own_heads}\n"
        f"  Received: {name!r}\n  Valid: {functions}\n{hint}{_SEE}"
    )


def test_arguments_that_it_does_not_take():
    assert refusal("own_heads:build", widht=3) == (
        "train.head.arguments do not fit own_heads:build(inputs, units, width=4), called with "
        "inputs and units: got an unexpected keyword argument 'widht'\n"
        f"  Received: {{'widht': 3}}\n  Valid: width\n{_SEE}"
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("keras_three", "Functional"), ("nothing", "builtins.NoneType")]
)
def test_anything_but_a_tf_keras_model(name, kind):
    message = refusal(f"own_heads:{name}")
    assert message.startswith(
        f"train.head.function own_heads:{name} must return a tf_keras.Model (of the package "
        "tf_keras, not keras or tf.keras)\n  Received: '"
    )
    assert message.endswith(f"{kind}'\n{_SEE}")


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("a_list", "must return a model whose inputs are a dict\n  Received: 'KerasTensor'\n"),
        (
            "other_name",
            "must return a model with inputs of these names and widths: {'image': 3, 'price': 1}\n"
            "  Received: {'picture': 3}\n",
        ),
        (
            "one_too_many",
            "must return a model with an output of (None, 2)\n  Received: (None, 3)\n",
        ),
    ],
)
def test_a_model_that_does_not_fit(name, rest):
    assert refusal(f"own_heads:{name}") == f"train.head.function own_heads:{name} {rest}{_SEE}"
