"""The exported model: loaded elsewhere with TensorFlow alone, whole, and never surprised."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.config import ImageFeature, LabelConfig
from trainer.config import HeadConfig
from trainer.export import ServedModel, export
from trainer.features import FeatureExtractor
from trainer.heads import build_head
from trainer.model_config import ModelConfig

# Run where nothing of ours can be imported: what a server sees.
_LOAD = """
import base64, json, sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
request = json.loads(sys.stdin.read())
pictures = tf.constant([base64.b64decode(one["b64"]) for one in request], tf.string)
outputs = model.signatures["serving_default"](image=pictures)
print(json.dumps({name: value.numpy().astype("U" if value.dtype == tf.string else None).tolist()
                  for name, value in outputs.items()}))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory, transform_graph, mean_colour):
    """A head that reads off the colour: logit of red is red, of blue is blue."""
    config = ModelConfig(
        features={"image": ImageFeature(backbone="hub:any")},
        backbones={"image": mean_colour},
        label=LabelConfig(),
    )
    extractor = FeatureExtractor(transform_graph, config)
    head = build_head(HeadConfig(), extractor.head_inputs, 2)
    model = ServedModel(extractor, head, ["red", "blue"])
    folder = tmp_path_factory.mktemp("served") / "model"
    export(model, str(folder))
    return model, folder


def test_vectors_that_were_kept_as_float16_are_what_it_computes(
    transform_graph, mean_colour, picture, tmp_path
):
    config = ModelConfig(
        features={"image": ImageFeature(backbone="hub:any", vectors="float16")},
        backbones={"image": mean_colour},
        label=LabelConfig(),
    )
    extractor = FeatureExtractor(transform_graph, config)
    head = build_head(HeadConfig(), extractor.head_inputs, 2)
    for weights in head.trainable_weights:
        weights.assign(np.random.default_rng(0).normal(size=weights.shape))
    export(ServedModel(extractor, head, ["red", "blue"]), str(tmp_path / "model"))
    pictures = tf.constant([picture([number, 7, 255 - number]) for number in range(0, 256, 5)])
    prepared = extractor.prepare(extractor.preprocess({"image": pictures}))
    whole = extractor.backbones["image"].encode(prepared["image"]).numpy()
    stored = {"image": whole.astype(np.float16).astype(np.float32)}
    loaded, signatures = load(tmp_path / "model")
    given = signatures["serving_default"](image=pictures)["probabilities"]
    np.testing.assert_allclose(given, tf.nn.softmax(head(stored)), atol=1e-6)
    assert np.abs(given - tf.nn.softmax(head({"image": whole}))).max() > 1e-6
    del loaded


def load(folder):
    loaded = tf.saved_model.load(str(folder))
    return loaded, loaded.signatures


def test_it_runs_in_a_clean_process_from_a_copy(served, picture, tmp_path):
    model, folder = served
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    pictures = [picture([255, 0, 0]), picture([0, 0, 255], (31, 3))]
    request = [{"b64": tf.io.encode_base64(one).numpy().decode()} for one in pictures]
    for one in request:
        one["b64"] = one["b64"].replace("-", "+").replace("_", "/") + "=="
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(copy)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    outputs = json.loads(done.stdout)
    expected = model.predict({"image": tf.constant(pictures)})
    np.testing.assert_allclose(outputs["probabilities"], expected["probabilities"], atol=1e-6)
    assert outputs["classes"] == [["red", "blue"]] * 2
    assert outputs["label"] == [one.decode() for one in expected["label"].numpy()]
    np.testing.assert_allclose(outputs["score"], np.max(outputs["probabilities"], axis=1))


def test_examples_and_raw_bytes_give_the_same(served, picture):
    _, folder = served
    loaded, signatures = load(folder)
    pictures = [picture([200, 10, 30]), picture([1, 2, 3])]
    serialized = [
        tf.train.Example(
            features=tf.train.Features(
                feature={"image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[one]))}
            )
        ).SerializeToString()
        for one in pictures
    ]
    raw = signatures["serving_default"](image=tf.constant(pictures))
    parsed = signatures["serving_examples"](examples=tf.constant(serialized))
    assert set(raw) == {"label", "score", "classes", "probabilities"}
    for name, value in raw.items():
        assert value.numpy().tolist() == parsed[name].numpy().tolist()
    del loaded


@pytest.mark.parametrize("count", [0, 1, 5])
def test_any_batch_size_is_answered(served, picture, count):
    _, folder = served
    loaded, signatures = load(folder)
    batch = tf.constant([picture([9, 9, 9])] * count, tf.string)
    outputs = signatures["serving_default"](image=batch)
    assert outputs["probabilities"].shape == (count, 2)
    assert outputs["label"].shape == (count,)
    del loaded


def test_labels_become_indices_and_an_unknown_one_minus_one(served):
    _, folder = served
    loaded, signatures = load(folder)
    serialized = [
        tf.train.Example(
            features=tf.train.Features(
                feature={"label": tf.train.Feature(bytes_list=tf.train.BytesList(value=[one]))}
            )
        ).SerializeToString()
        for one in (b"blue", b"red", b"mauve")
    ]
    outputs = signatures["transformed_labels"](examples=tf.constant(serialized))
    assert outputs["label_id"].numpy().tolist() == [1, 0, -1]
    del loaded


def test_bytes_that_are_no_picture_are_refused_and_the_next_request_is_answered(served, picture):
    _, folder = served
    loaded, signatures = load(folder)
    with pytest.raises(tf.errors.InvalidArgumentError):
        signatures["serving_default"](image=tf.constant([b"no picture"]))
    outputs = signatures["serving_default"](image=tf.constant([picture([255, 0, 0])]))
    assert np.isfinite(outputs["probabilities"]).all()
    del loaded


def test_the_label_vocabulary_travels_with_the_model(served):
    _, folder = served
    assert (folder / "assets" / "label").read_text().split() == ["red", "blue"]
