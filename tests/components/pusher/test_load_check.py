"""What is pushed was loaded in a process that has nothing but TensorFlow, and has answered."""

import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from components.pusher.errors import PushError
from components.pusher.load_check import Loaded, check_loads
from components.pusher.loading import WARMUP
from components.pusher.manifest import read_manifest
from components.pusher.publish import Delivery, publish
from components.pusher.warmup import write_warmup
from preprocessing.config import LabelConfig, TextFeature
from preprocessing.model_info import ModelInfo, read_model_info, write_model_info

REFUSED = "The model does not load as a server loads it: "


@pytest.fixture
def model(colours_model, picture, tmp_path):
    """A whole model with warm-up requests."""
    folder = tmp_path / "model"
    shutil.copytree(colours_model, folder)
    examples = tmp_path / "examples"
    with tf.io.TFRecordWriter(str(examples)) as writer:
        for colour in ([255, 0, 0], [0, 0, 255]):
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture(colour)]))
            features = tf.train.Features(feature={"image": feature})
            writer.write(tf.train.Example(features=features).SerializeToString())
    info = read_model_info(str(folder))
    assert write_warmup(info, [str(examples)], "serving_examples", str(folder / WARMUP), 8) == 6
    return folder


def save(folder, function, *specs):
    """Saves a model of one signature that takes a column `text`."""
    module = tf.Module()
    module.serve = tf.function(function, input_signature=specs, autograph=False)
    tf.saved_model.save(module, str(folder), signatures=module.serve.get_concrete_function())
    texts = {"text": TextFeature(kind="text", backbone="hub:any")}
    write_model_info(
        ModelInfo(features=texts, images={}, label=LabelConfig(), classes=("a", "b")), str(folder)
    )
    return folder


def add_request(folder, tmp_path):
    """Adds one warm-up request that asks for the signature `serving_default` only."""
    example = tf.train.Example()
    example.features.feature["text"].bytes_list.value.append(b"one two")
    with tf.io.TFRecordWriter(str(tmp_path / "texts")) as writer:
        writer.write(example.SerializeToString())
    info = read_model_info(str(folder))
    requests = str(folder / WARMUP)
    write_warmup(info, [str(tmp_path / "texts")], "serving_default", requests, 1)
    (first, _) = tf.data.TFRecordDataset(requests).as_numpy_iterator()
    with tf.io.TFRecordWriter(requests) as writer:
        writer.write(first)


@pytest.mark.slow
def test_a_push_loads_the_staged_copy_and_says_what_that_took(model, serving):
    published = publish(Delivery(str(model)), str(serving), 3)
    manifest = read_manifest(str(serving / str(published.version)))
    assert manifest.warmup_requests == 6
    assert manifest.load_seconds > 0
    served = tf.saved_model.load(str(serving / str(published.version)))
    assert set(served.signatures) >= {"serving_default", "serving_examples"}


@pytest.mark.slow
def test_a_model_that_does_not_load_is_not_pushed_and_says_why(model, serving):
    first = publish(Delivery(str(model)), str(serving), 3).version
    (model / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(PushError) as caught:
        publish(Delivery(str(model)), str(serving), 3)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{REFUSED}OSError: Cannot parse file b'")
    assert lines[-1] == "  Nothing was pushed; what was serving before still is."
    assert sorted(one.name for one in serving.iterdir()) == [".push.lock", str(first)]


@pytest.mark.slow
def test_a_model_that_lacks_one_of_its_files_is_not_pushed(tmp_path):
    words = tmp_path / "words"
    words.write_text("one\ntwo\n")
    module = tf.Module()
    initializer = tf.lookup.TextFileInitializer(
        str(words),
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    module.table = tf.lookup.StaticHashTable(initializer, -1)
    module.serve = tf.function(
        lambda text: module.table.lookup(text),
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
        autograph=False,
    )
    folder = tmp_path / "model"
    tf.saved_model.save(module, str(folder), signatures=module.serve.get_concrete_function())
    (folder / "assets" / "words").unlink()
    with pytest.raises(PushError) as caught:
        check_loads(folder)
    assert str(caught.value).startswith(f"{REFUSED}FileNotFoundError: ")
    assert "assets/words; No such file or directory" in str(caught.value)


@pytest.mark.slow
def test_an_answer_that_is_no_number_is_not_pushed(tmp_path):
    text = tf.TensorSpec([None], tf.string, name="text")
    folder = save(
        tmp_path / "model",
        lambda text: {"score": tf.zeros(tf.shape(text)) / tf.zeros(tf.shape(text))},
        text,
    )
    add_request(folder, tmp_path)
    with pytest.raises(PushError) as caught:
        check_loads(folder)
    assert str(caught.value) == (
        f"{REFUSED}ValueError: score of warm-up request 1 is not finite\n"
        "  Nothing was pushed; what was serving before still is."
    )


@pytest.mark.slow
def test_a_model_of_texts_finds_the_operations_of_tensorflow_text(tmp_path):
    import tensorflow_text as text_ops

    folder = save(
        tmp_path / "model",
        lambda text: {
            "length": text_ops.WhitespaceTokenizer().tokenize(text).row_lengths(),
            "score": tf.zeros(tf.shape(text)),
        },
        tf.TensorSpec([None], tf.string, name="text"),
    )
    add_request(folder, tmp_path)
    assert check_loads(folder).requests == 1


def test_a_process_that_dies_is_an_error_with_its_last_words(tmp_path, monkeypatch):
    program = tmp_path / "dies.py"
    program.write_text(
        "import os; os.write(2, b'1\\n2\\n3\\n4\\n5\\nKilled by it\\n'); os._exit(9)"
    )
    monkeypatch.setattr("components.pusher.load_check._PROGRAM", program)
    with pytest.raises(PushError) as caught:
        check_loads(tmp_path)
    assert str(caught.value) == (
        f"{REFUSED}the process ended with 9\n"
        "    2\n    3\n    4\n    5\n    Killed by it\n"
        "  Nothing was pushed; what was serving before still is."
    )


def test_a_process_that_never_ends_is_ended(tmp_path, monkeypatch):
    program = tmp_path / "waits.py"
    program.write_text("import time; time.sleep(600)")
    monkeypatch.setattr("components.pusher.load_check._PROGRAM", program)
    monkeypatch.setattr("components.pusher.load_check._TIMEOUT_SECONDS", 1)
    with pytest.raises(PushError) as caught:
        check_loads(tmp_path)
    assert (
        str(caught.value)
        == f"{REFUSED}not done in 1 s\n  Nothing was pushed; what was serving before still is."
    )


def test_a_folder_may_be_relative(tmp_path, monkeypatch):
    program = tmp_path / "looks.py"
    program.write_text(
        "import json, os, sys\n"
        "there = os.path.isdir(sys.argv[1])\n"
        "json.dump({'requests': int(there), 'seconds': 0.1}, open(sys.argv[2], 'w'))"
    )
    monkeypatch.setattr("components.pusher.load_check._PROGRAM", program)
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert check_loads(Path("model")) == Loaded(1, 0.1)
