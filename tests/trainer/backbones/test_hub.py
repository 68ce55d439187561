"""hub: handles on real SavedModels: what is read, refused, loaded and exported."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.handles import parse_handle
from trainer.backbones.hub_fetch import _copy_remote
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

ONES = [[12.0, 15.0, 18.0, 21.0]]


def get(tmp_path, path, **config):
    return vendor(BackboneConfig(handle=f"hub:{path}", **config), tmp_path / "store", tmp_path)


def refusal(tmp_path, path, **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, path, **config)
    return str(caught.value)


def test_the_record_says_all_that_is_needed(tmp_path, tiny):
    backbone = get(tmp_path, tiny)
    assert backbone.model_dump(exclude={"digest", "path"}) == {
        "handle": f"hub:{tiny}",
        "kind": "hub",
        "input": {
            "modality": "image",
            "height": 8,
            "width": 8,
            "input_range": (0.0, 1.0),
            "resample": "bilinear",
            "shortest_edge": None,
        },
        "feature_width": 4,
        "pooling": None,
        "arguments": {},
    }
    assert type(backbone).model_validate_json(backbone.model_dump_json()) == backbone


def test_a_loaded_backbone_gives_the_features_of_any_number_of_pictures(tmp_path, tiny):
    module = load(get(tmp_path, tiny))
    np.testing.assert_allclose(module(tf.ones([1, 8, 8, 3])), ONES)
    assert module(tf.zeros([3, 8, 8, 3])).shape == [3, 4]


def test_a_model_with_only_a_serving_signature_works_as_well(tmp_path, save_model):
    backbone = get(tmp_path, save_model(own_call=False))
    np.testing.assert_allclose(load(backbone)(tf.ones([1, 8, 8, 3])), ONES)


@pytest.mark.slow
def test_a_saved_keras_model_runs_in_inference_mode(tmp_path):
    import tf_keras

    layers = [tf_keras.layers.Dropout(0.9), tf_keras.layers.GlobalAveragePooling2D()]
    model = tf_keras.Sequential([tf_keras.Input([8, 8, 3]), *layers])
    model.save(tmp_path / "model", save_format="tf")
    backbone = get(tmp_path, "model")
    np.testing.assert_allclose(load(backbone)(tf.ones([1, 8, 8, 3])), [[1.0, 1.0, 1.0]])


def test_a_model_of_any_size_takes_the_configs(tmp_path, save_model):
    flexible = save_model(shape=(None, None, None, 3))
    backbone = get(tmp_path, flexible, size=16)
    assert (backbone.input.height, backbone.input.width) == (16, 16)
    np.testing.assert_allclose(load(backbone)(tf.ones([1, 16, 16, 3])), ONES)
    assert refusal(tmp_path, flexible) == (
        "The model takes pictures of any size: say which with `size: 224`.\n"
        f"  Received: {str(flexible)!r}"
    )


def test_a_width_that_the_file_leaves_open_is_found_by_running_once(tmp_path, save_model):
    blurred = save_model(outputs=lambda y: tf.reshape(y, tf.shape(y)))
    assert get(tmp_path, blurred).feature_width == 4


def test_another_size_than_the_models_is_refused(tmp_path, tiny):
    assert refusal(tmp_path, tiny, size=16) == (
        "The model takes 8 x 8 pictures only: leave `size` out.\n  Received: 16"
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (
            {"dtype": tf.uint8},
            "The model takes uint8 [?, 8, 8, 3], not float32 [batch, height, width, 3] pictures.",
        ),
        (
            {"shape": (1, 8, 8, 3)},
            "The model takes float32 [1, 8, 8, 3], not float32 [batch, height, width, 3] pictures.",
        ),
        (
            {"outputs": lambda y: y[:, None, None, :]},
            "The model gives [?, 1, 1, 4], not one vector per picture; take its feature_vector "
            "variant.",
        ),
        (
            {"outputs": lambda y: {"a": y, "b": y}},
            "The SavedModel has neither a __call__ nor a serving_default signature that takes one "
            "tensor and gives one. It offers: inner, serving_default.",
        ),
    ],
)
def test_what_is_no_image_backbone_is_refused_with_its_reason(tmp_path, save_model, options, what):
    model = save_model(**options)
    assert refusal(tmp_path, model) == f"{what}\n  Received: {str(model)!r}"


def test_a_missing_path(tmp_path):
    assert refusal(tmp_path, "no/such") == (
        f"There is no such file or folder: {tmp_path / 'no/such'}\n"
        f"  Received: 'no/such'\n  See: {tmp_path}"
    )


def test_a_folder_without_a_saved_model_is_told_what_it_holds(tmp_path):
    (tmp_path / "folder").mkdir()
    assert "here, but: nothing." in refusal(tmp_path, "folder")
    (tmp_path / "folder" / "b.h5").touch()
    (tmp_path / "folder" / "a.txt").touch()
    assert refusal(tmp_path, "folder") == (
        f"No SavedModel (saved_model.pb) here, but: a.txt, b.h5.\n"
        f"  Received: {str(tmp_path / 'folder')!r}"
    )


def test_a_file_that_is_no_archive_by_its_name(tmp_path):
    (tmp_path / "model.zip").touch()
    assert refusal(tmp_path, "model.zip") == (
        "A hub: path is a SavedModel's folder or an archive of one.\n"
        "  Received: 'model.zip'\n"
        "  Valid: a folder, .tar.gz, .tgz, .tar"
    )


TF1 = (
    "This is a TF1 hub module; only TF2 SavedModels can be loaded. "
    "Most have a TF2 version: a higher last number of the handle."
)


def test_a_tf1_hub_module_is_called_one(tmp_path):
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "saved_model.pb").touch()
    (tmp_path / "module" / "tfhub_module.pb").touch()
    assert refusal(tmp_path, "module").startswith(TF1)


def test_a_tf1_saved_model_is_called_one(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 8, 8, 3])
        tf.compat.v1.saved_model.simple_save(
            session, str(tmp_path / "old"), {"x": x}, {"y": tf.reduce_mean(x, [1, 2])}
        )
    assert refusal(tmp_path, "old").startswith(TF1)


@pytest.mark.parametrize("part", ["variables.data-00000-of-00001", "variables.index"])
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_damaged_variables_are_noticed_before_the_run(tmp_path, tiny, part, damage):
    shutil.copytree(tiny, tmp_path / "model")
    file = tmp_path / "model" / "variables" / part
    content = file.read_bytes()
    if damage == "remove":
        file.unlink()
    elif damage == "truncate":
        file.write_bytes(content[: len(content) // 2])
    else:
        file.write_bytes(bytes([content[0] ^ 255]) + content[1:])
    assert refusal(tmp_path, "model").startswith(
        "The SavedModel's variables are incomplete or damaged: "
    )
    assert not list((tmp_path / "store").glob("*/saved_model.pb"))


def test_a_truncated_description_is_noticed(tmp_path, tiny):
    shutil.copytree(tiny, tmp_path / "model")
    file = tmp_path / "model" / "saved_model.pb"
    file.write_bytes(file.read_bytes()[:-100])
    assert refusal(tmp_path, "model") == (
        "saved_model.pb is truncated or damaged.\n  Received: 'model'"
    )


@pytest.mark.parametrize("prefix", ["", "some/folder/"])
@pytest.mark.parametrize("name", ["model.tar.gz", "model.tgz"])
def test_an_archive_has_the_same_digest_as_its_folder(tmp_path, tiny, tar_of, prefix, name):
    (tmp_path / name).write_bytes(tar_of(tiny, prefix))
    assert get(tmp_path, name).digest == get(tmp_path, tiny).digest


def test_files_that_do_not_belong_to_the_model_are_not_copied(tmp_path, tiny):
    shutil.copytree(tiny, tmp_path / "model")
    (tmp_path / "model" / "secret.txt").write_text("x")
    backbone = get(tmp_path, "model")
    assert backbone.digest == get(tmp_path, tiny).digest


def test_a_folder_of_another_file_system_is_copied_whole(tmp_path, tiny):
    remote = "ram://bucket/tiny"
    for path in tiny.rglob("*"):
        if path.is_file():
            name = f"{remote}/{path.relative_to(tiny).as_posix()}"
            tf.io.gfile.makedirs(name.rpartition("/")[0])
            tf.io.gfile.copy(str(path), name)
    _copy_remote(remote, tmp_path / "model", remote)
    assert get(tmp_path, "model").digest == get(tmp_path, tiny).digest


def test_the_cache_of_tensorflow_hub_is_left_as_it_was(tmp_path, monkeypatch):
    import os

    from trainer.backbones.hub_fetch import _cache_in

    monkeypatch.setenv("TFHUB_CACHE_DIR", "mine")
    with _cache_in(tmp_path):
        assert os.environ["TFHUB_CACHE_DIR"] == str(tmp_path)
    assert os.environ["TFHUB_CACHE_DIR"] == "mine"
    assert parse_handle(BackboneConfig(handle="hub:gs://b/m")).form == "gcs"


@pytest.mark.slow
@pytest.mark.parametrize("own_call", [True, False])
def test_an_export_gives_the_same_values_in_a_fresh_process(
    tmp_path, save_model, own_call, export_and_compare
):
    module = load(get(tmp_path, save_model(own_call=own_call)))
    export_and_compare(module, 8, 1.0)
