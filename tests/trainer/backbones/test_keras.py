"""keras: handles: the right range and size, and one clear error otherwise."""

import sys

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.trainer.backbones.applications import SIDE, construct, get, refusal
from trainer.backbones.applications import APPLICATIONS
from trainer.backbones.load import load
from trainer.backbones.store import entry

SMALLEST = {"Xception": 71}


def test_the_table_of_applications_is_what_this_tf_keras_offers():
    offered = {name for name in dir(tf_keras.applications) if name[0].isupper()}
    # A model that only one of the two stacks has would be listed here with the reason.
    assert set(APPLICATIONS) == offered


def test_the_native_sizes_are_those_of_tf_keras(monkeypatch):
    from tf_keras.src.applications import imagenet_utils

    class Seen(Exception):  # noqa: N818 - not an error, the way out of the constructor
        pass

    def stop(input_shape, default_size, **_):
        raise Seen(default_size)

    monkeypatch.setattr(imagenet_utils, "obtain_input_shape", stop)
    asked = {}
    for name in APPLICATIONS:
        module = sys.modules[getattr(tf_keras.applications, name).__module__]
        monkeypatch.setattr(module.imagenet_utils, "obtain_input_shape", stop)
        try:
            construct(name, 224)
        except Seen as seen:
            asked[name] = seen.args[0]
        except TypeError:  # MobileNetV3 calls it without a default in some versions.
            continue
    assert {name: APPLICATIONS[name] for name in asked} == asked
    assert len(asked) >= 60


def test_every_application_brings_its_own_preprocessing():
    for name in APPLICATIONS:
        module = sys.modules[getattr(tf_keras.applications, name).__module__]
        assert callable(module.preprocess_input), name


# The largest graphs take a minute each, and differ from the others in nothing of ours.
LONG = pytest.mark.long


# One of each family that preprocesses in its own way, inside the model or before it.
FAMILIES = [
    "MobileNetV2",
    "MobileNetV3Small",
    "VGG16",
    "ResNet50",
    "ResNet50V2",
    pytest.param("DenseNet121", marks=LONG),
    "EfficientNetB0",
    pytest.param("ConvNeXtTiny", marks=LONG),
    pytest.param("Xception", marks=LONG),
    pytest.param("NASNetMobile", marks=LONG),
    "RegNetX002",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_pixels_from_0_to_255_are_preprocessed_exactly_once(tmp_path, name):
    tf_keras.utils.set_random_seed(0)
    side = SMALLEST.get(name, SIDE)
    model = construct(name, side)
    model.save_weights(tmp_path / "weights.h5")
    backbone = get(tmp_path, name, weights="weights.h5", size=side)
    assert backbone.input.input_range == (0.0, 255.0)
    assert (backbone.input.height, backbone.input.width) == (side, side)
    assert backbone.feature_width == model.output_shape[-1]
    images = np.random.default_rng(0).uniform(0, 255, [2, side, side, 3]).astype(np.float32)
    preprocess = sys.modules[getattr(tf_keras.applications, name).__module__].preprocess_input
    expected = model(preprocess(images.copy()), training=False).numpy()
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(load(backbone)(images), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "inside"), [("MobileNetV2", 0), ("ResNet50", 0), ("MobileNetV3Small", 1)]
)
def test_whether_a_model_rescales_by_itself_is_as_we_were_told(name, inside):
    layers = construct(name, SIDE).layers
    assert sum(isinstance(layer, tf_keras.layers.Rescaling) for layer in layers) == inside


def test_the_record_and_the_vendored_files(tmp_path, small):
    model, file = small
    backbone = get(tmp_path, "MobileNetV2", weights=str(file), arguments={"alpha": 0.35}, size=SIDE)
    assert backbone.feature_width == 1280
    assert backbone.arguments == {"alpha": 0.35}
    folder = entry(tmp_path / "store", backbone.digest)
    assert sorted(path.name for path in folder.iterdir()) == ["application.json", "no_top.h5"]
    assert (folder / "application.json").read_text() == (
        "{\n"
        '  "application": "MobileNetV2",\n'
        '  "arguments": {\n'
        '    "alpha": 0.35\n'
        "  },\n"
        '  "feature_width": 1280,\n'
        '  "file": "no_top.h5",\n'
        '  "weights": "file"\n'
        "}\n"
    )
    images = tf.random.uniform([1, SIDE, SIDE, 3], maxval=255.0)
    expected = model(images / 127.5 - 1.0, training=False)
    np.testing.assert_allclose(load(backbone)(images), expected, rtol=1e-4, atol=1e-5)


def test_the_native_size_is_taken_where_none_is_given(tmp_path, small):
    weights = str(small[1])
    backbone = get(tmp_path, "MobileNetV2", weights=weights, arguments={"alpha": 0.35})
    assert (backbone.input.height, backbone.input.width) == (224, 224)


def test_an_unknown_argument_gets_the_closest_one(tmp_path, small):
    text = refusal(tmp_path, "MobileNetV2", weights=str(small[1]), arguments={"alhpa": 0.35})
    assert text == (
        "tf_keras.applications.MobileNetV2 has no argument for users of this name.\n"
        "  Received: 'alhpa'\n"
        "  Valid: alpha\n"
        "  Did you mean 'alpha'?"
    )


@pytest.mark.parametrize("name", ["include_top", "include_preprocessing", "pooling"])
def test_arguments_that_would_change_what_the_record_promises_are_refused(tmp_path, small, name):
    text = refusal(tmp_path, "MobileNetV3Small", weights=str(small[1]), arguments={name: False})
    assert "has no argument for users of this name." in text


def test_a_picture_too_small_for_the_model_is_one_clear_error(tmp_path, small):
    text = refusal(tmp_path, "Xception", weights=str(small[1]), size=40)
    assert text == (
        "tf_keras.applications.Xception cannot be built for 40 x 40 pictures with weights "
        "from a file: Input size must be at least 71x71; Received: input_shape=(40, 40, 3)\n"
        "  Received: {}"
    )


@pytest.mark.slow
def test_an_export_gives_the_same_values_in_a_fresh_process(tmp_path, small, export_and_compare):
    config = {"weights": str(small[1]), "arguments": {"alpha": 0.35}, "size": SIDE}
    export_and_compare(load(get(tmp_path, "MobileNetV2", **config)), SIDE, 255.0)


@pytest.mark.slow
def test_layers_run_from_the_input_to_the_output_without_batch_norms_statistics(tmp_path, small):
    model, file = small
    backbone = get(tmp_path, "MobileNetV2", weights=str(file), arguments={"alpha": 0.35}, size=SIDE)
    layers = load(backbone).layers
    assert [len(layer) for layer in layers[:2]] == [1, 2]
    assert layers[0][0].name.startswith("Conv1/kernel")
    assert layers[-1][0].name.startswith("Conv_1_bn/gamma")
    assert sum(map(len, layers)) == len(model.trainable_variables)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_the_bits_give_nearly_the_same_float32_vectors(tmp_path, small, dtype):
    config = {"weights": str(small[1]), "arguments": {"alpha": 0.35}, "size": SIDE}
    backbone = get(tmp_path, "MobileNetV2", **config)
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, [2, SIDE, SIDE, 3]), tf.float32)
    exact, half = load(backbone), load(backbone, dtype)
    assert tf_keras.mixed_precision.global_policy().name == "float32"
    vectors = half(images)
    assert vectors.dtype == tf.float32
    assert {one.dtype for layer in half.layers for one in layer} == {tf.float32}
    assert 0 < np.abs(vectors - exact(images)).max() < 0.1
    operations = half._encode.get_concrete_function().graph.get_operations()
    assert tf.as_dtype(dtype) in {one.outputs[0].dtype for one in operations if one.outputs}
