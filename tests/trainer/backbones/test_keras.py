"""keras: handles: the right range, weights that fit, one clear error otherwise."""

import hashlib
import os
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.applications import APPLICATIONS
from trainer.backbones.load import load
from trainer.backbones.store import entry
from trainer.backbones.vendor import vendor

SIDE = 32
SMALLEST = {"Xception": 71}


def construct(name, size, weights=None, **arguments):
    constructor = getattr(tf_keras.applications, name)
    return constructor(
        input_shape=(size, size, 3), include_top=False, pooling="avg", weights=weights, **arguments
    )


def get(tmp_path, name, **config):
    config = BackboneConfig(handle=f"keras:{name}", **config)
    return vendor(config, tmp_path / "store", tmp_path)


def refusal(tmp_path, name, **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, name, **config)
    return str(caught.value)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """MobileNetV2 of the smallest width with random weights, and their file."""
    model = construct("MobileNetV2", SIDE, alpha=0.35)
    file = tmp_path_factory.mktemp("weights") / "small.h5"
    model.save_weights(file)
    return model, file


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


@pytest.mark.slow
def test_a_weight_file_may_be_given_relative_to_the_config_and_is_needed_once(tmp_path, small):
    shutil.copy(small[1], tmp_path / "mine.h5")
    config = {"weights": "mine.h5", "arguments": {"alpha": 0.35}, "size": SIDE}
    backbone = get(tmp_path, "MobileNetV2", **config)
    assert get(tmp_path, "MobileNetV2", **config) == backbone
    (tmp_path / "mine.h5").unlink()
    assert load(backbone) is not None


@pytest.mark.slow
def test_weights_of_the_newer_format_are_read(tmp_path, small):
    small[0].save_weights(tmp_path / "new.weights.h5")
    backbone = get(
        tmp_path, "MobileNetV2", weights="new.weights.h5", arguments={"alpha": 0.35}, size=SIDE
    )
    assert "no_top.weights.h5" in {
        path.name for path in entry(tmp_path / "store", backbone.digest).iterdir()
    }


def test_weights_of_another_width_are_one_clear_error(tmp_path, small):
    text = refusal(tmp_path, "MobileNetV2", weights=str(small[1]), size=SIDE)
    assert text.startswith(
        "The weight file does not fit MobileNetV2 without its top, arguments {}: "
    )
    assert text.endswith(f"\n  Received: {str(small[1])!r}")
    assert len(text.splitlines()) == 2
    assert not list((tmp_path / "store").iterdir())


def test_weights_of_another_model_are_one_clear_error(tmp_path, small):
    text = refusal(tmp_path, "VGG16", weights=str(small[1]), size=SIDE)
    assert text.startswith("The weight file does not fit VGG16 without its top, arguments {}: ")


@pytest.mark.parametrize("content", [b"", b"not hdf5"])
def test_a_file_that_is_no_hdf5_is_one_clear_error(tmp_path, content):
    (tmp_path / "bad.h5").write_bytes(content)
    text = refusal(tmp_path, "MobileNetV2", weights="bad.h5", size=SIDE)
    assert text.startswith("The weight file does not fit MobileNetV2 without its top")


def test_a_truncated_weight_file_is_one_clear_error(tmp_path, small):
    content = small[1].read_bytes()
    (tmp_path / "half.h5").write_bytes(content[: len(content) // 2])
    text = refusal(tmp_path, "MobileNetV2", weights="half.h5", arguments={"alpha": 0.35}, size=SIDE)
    assert text.startswith("The weight file does not fit MobileNetV2 without its top")


def test_a_missing_weight_file(tmp_path):
    assert refusal(tmp_path, "MobileNetV2", weights="none.h5") == (
        f"There is no such weight file: {tmp_path / 'none.h5'}\n"
        "  Received: 'none.h5'\n"
        "  Valid: imagenet, the path of a no-top weight file\n"
        f"  See: {tmp_path}"
    )


def test_a_weight_file_of_another_format(tmp_path):
    (tmp_path / "weights.pkl").touch()
    assert refusal(tmp_path, "MobileNetV2", weights="weights.pkl") == (
        "A weight file of Keras is HDF5.\n  Received: 'weights.pkl'\n  Valid: .h5, .hdf5"
    )


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


@pytest.fixture
def imagenet(server, monkeypatch):
    """Has Keras look for its weights on the loopback server."""
    from tf_keras.src.applications import mobilenet_v2

    monkeypatch.setattr(mobilenet_v2, "BASE_WEIGHT_PATH", server.url("/"))
    return server


FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
IMAGENET = {"arguments": {"alpha": 0.35}, "size": 96}


@pytest.mark.slow
def test_imagenet_weights_are_downloaded_once_into_the_store_and_nowhere_else(
    tmp_path, imagenet, answer, small, monkeypatch, capsys
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    imagenet.answers[f"/{FILE}"] = answer(body=small[1].read_bytes())
    backbone = get(tmp_path, "MobileNetV2", **IMAGENET)
    imagenet.answers.clear()
    assert get(tmp_path, "MobileNetV2", **IMAGENET) == backbone
    images = tf.random.uniform([1, 96, 96, 3], maxval=255.0)
    expected = construct("MobileNetV2", 96, alpha=0.35)
    expected.set_weights(small[0].get_weights())
    np.testing.assert_allclose(
        load(backbone)(images),
        expected(images / 127.5 - 1.0, training=False),
        rtol=1e-4,
        atol=1e-5,
    )
    assert imagenet.asked == [f"/{FILE}"]
    assert list(home.iterdir()) == []
    assert os.environ["HOME"] == str(home)
    assert capsys.readouterr().out == ""
    folder = entry(tmp_path / "store", backbone.digest)
    assert sorted(path.name for path in folder.iterdir()) == ["application.json", FILE]
    pinned = {**IMAGENET, "weights": "imagenet", "digest": backbone.digest}
    assert get(tmp_path, "MobileNetV2", **pinned) == backbone


def test_imagenet_weights_without_network_are_one_clear_error(tmp_path, imagenet):
    url = imagenet.url(f"/{FILE}")
    assert refusal(tmp_path, "MobileNetV2", **IMAGENET) == (
        f"The imagenet weights cannot be downloaded: URL fetch failure on {url}: 404 -- Not Found\n"
        "  Received: 'keras:MobileNetV2'\n"
        "  See: download the weight file elsewhere and name it with `weights: PATH`, or run once "
        "where there is a network; later runs need none"
    )
    assert not list((tmp_path / "store").iterdir())


def test_a_download_that_breaks_off_leaves_nothing(tmp_path, imagenet, answer, small):
    content = small[1].read_bytes()
    imagenet.answers[f"/{FILE}"] = answer(body=content[:1000], announced=len(content))
    text = refusal(tmp_path, "MobileNetV2", **IMAGENET)
    assert text.startswith("The imagenet weights cannot be downloaded: ")
    assert not list((tmp_path / "store").iterdir())


@pytest.mark.slow
def test_keras_own_efficientnet_file_brought_by_the_user_computes_what_imagenet_would(
    tmp_path, monkeypatch
):
    from tf_keras.src.applications import efficientnet

    construct("EfficientNetB0", SIDE).save_weights(tmp_path / "published.h5")
    md5 = hashlib.md5((tmp_path / "published.h5").read_bytes()).hexdigest()
    monkeypatch.setitem(efficientnet.WEIGHTS_HASHES, "b0", ("", md5))
    backbone = get(tmp_path, "EfficientNetB0", weights="published.h5", size=SIDE)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cache = tmp_path / "home" / ".keras" / "models"
    cache.mkdir(parents=True)
    shutil.copy(tmp_path / "published.h5", cache / "efficientnetb0_notop.h5")
    images = tf.random.uniform([1, SIDE, SIDE, 3], maxval=255.0)
    expected = construct("EfficientNetB0", SIDE, weights="imagenet")(images, training=False)
    np.testing.assert_allclose(load(backbone)(images), expected, rtol=1e-4, atol=1e-5)


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
