"""Exports of whole models: converted, run by the real interpreter and in Node, and judged."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.exporter.config import ExportConfig
from components.exporter.exports import make_exports
from preprocessing.config import (
    BackboneConfig,
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from trainer.backbones.vendor import vendor

pytestmark = pytest.mark.slow

WORDS = ["the cat sat", "hello world", "the mat", "strasse", "cat on the mat", ""]


class Lengths(tf.Module):
    """Feature vector of a text: its length."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        return tf.cast(tf.strings.length(texts), tf.float32)[:, tf.newaxis]


def by_format(report):
    return {one.format: one for one in report.exports}


def files_below(folder):
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


@pytest.fixture(scope="module")
def mixed(build_world, mean_colour, picture, bert, tmp_path_factory):
    """A picture, a text's tokens, a number and a category, each of which may be missing."""
    text = BackboneConfig(handle=f"hf:{bert}", sequence_length=8)
    backbones = {
        "image": mean_colour,
        "text": vendor(text, tmp_path_factory.mktemp("store"), bert, "text"),
    }
    features = {
        "image": ImageFeature(backbone="hub:any", missing="default", vectors="float16"),
        "text": TextFeature(kind="text", backbone="hub:any", missing="default"),
        "price": NumericFeature(kind="numeric", missing="default"),
        "brand": CategoricalFeature(kind="categorical", missing="default"),
    }
    random = np.random.default_rng(0)
    rows = [
        {
            "image": picture(random.integers(0, 255, 3)) if number % 7 else b"",
            "text": WORDS[number % len(WORDS)].encode(),
            "price": float(number) if number % 5 else float("nan"),
            "brand": [b"Acme", b"Zeta", b""][number % 3],
            "label": [b"a", b"b", b"c"][number % 3],
        }
        for number in range(24)
    ]
    return build_world(features, backbones, rows, LabelConfig())


def test_features_of_all_kinds_go_in_as_tensors(mixed, tmp_path, tfjs_tools):
    formats = ("tflite", "tflite_fp16", "tflite_int8", "tfjs")
    config = ExportConfig(formats=formats, max_accuracy_loss=1)
    report = make_exports(mixed.model, mixed.splits, str(tmp_path), config)
    made = by_format(report)
    said = {name: (one.state, one.reason) for name, one in made.items()}
    assert said == dict.fromkeys(formats, ("made", ""))
    assert (report.metric, report.examples) == ("accuracy", 24)
    far = {name: one.largest_difference for name, one in made.items()}
    assert far["tflite"] < 1e-4
    assert far["tfjs"] < 1e-4
    assert far["tflite_fp16"] < 0.01
    assert made["tflite_int8"].bytes < made["tflite"].bytes < report.saved_model.bytes
    assert made["tfjs"].runtime == "wasm, tfjs 4.22.0"
    for one in (report.saved_model, *report.exports):
        assert 0 < one.latency.p50 <= one.latency.p95
    assert files_below(tmp_path) == {name for one in report.exports for name in one.files}
    assert {"tflite/model.tflite", "tfjs/model.json"} < files_below(tmp_path)
    assert (tmp_path / "tfjs" / "labels.txt").read_text() == "c\nb\na\n"
    inputs = json.loads((tmp_path / "tflite" / "inputs.json").read_text())
    assert inputs["text_input_ids"] == {"dtype": "int32", "shape": [None, 8]}
    assert inputs["image"]["picture"]["input_range"] == [0.0, 1.0]
    assert set(inputs) == {
        *("image", "image_missing", "text_input_ids", "text_attention_mask", "text_missing"),
        *("price", "price_missing", "brand", "brand_missing"),
    }


def test_a_phone_needs_nothing_but_the_interpreters_own_ops(mixed, tmp_path):
    config = ExportConfig(formats=("tflite",), check=False)
    report = make_exports(mixed.model, mixed.splits, str(tmp_path), config)
    (export,) = report.exports
    assert (export.state, export.reason) == ("made", "not run, as export.check is false")
    assert (export.value, report.saved_model.value, report.examples) == (None, None, 0)
    interpreter = tf.lite.Interpreter(str(tmp_path / "tflite" / "model.tflite"))
    runner = interpreter.get_signature_runner("serving_tensors")
    assert {one["shape"][0] for one in runner.get_input_details().values()} == {1}
    ops = {one["op_name"] for one in interpreter._get_ops_details()}
    assert not [name for name in ops if name.startswith("Flex") or name == "CUSTOM"]


def test_an_export_that_loses_too_much_is_refused_alone(
    export_colours, write_splits, picture, tmp_path
):
    """Pictures that are a little more red than blue, told apart by more than 8 bits."""
    export_colours(tmp_path / "model", tensors=True)
    train = [
        {"image": picture(colour), "label": b"red"}
        for colour in ([255, 0, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0])
    ]
    close = [
        {"image": picture([level + red, 90, level + 1 - red]), "label": [b"blue", b"red"][red]}
        for level in range(100, 140)
        for red in (0, 1)
    ]
    splits = write_splits(tmp_path, train, close)
    config = ExportConfig(formats=("tflite_int8", "tflite"), max_accuracy_loss=0.05)
    out = tmp_path / "out"
    report = make_exports(str(tmp_path / "model"), splits, str(out), config)
    made = by_format(report)
    assert report.saved_model.value == made["tflite"].value == 1.0
    assert made["tflite"].state == "made"
    int8 = made["tflite_int8"]
    assert (int8.state, int8.files) == ("refused", ())
    assert int8.difference == pytest.approx(int8.value - 1)
    assert int8.reason == (
        f"accuracy {int8.value:.4f}, the SavedModel's 1.0000: worse by {1 - int8.value:.4f}, "
        "and export.max_accuracy_loss is 0.05"
    )
    assert not (out / "tflite_int8").exists()
    assert (out / "tflite" / "labels.txt").read_text() == "red\nblue\n"


def test_numbers_are_exported_too(build_world, tmp_path, tfjs_tools):
    features = {"price": NumericFeature(kind="numeric"), "size": NumericFeature(kind="numeric")}
    rows = [
        {"price": float(row), "size": float(row % 3), "label": str(row).encode()}
        for row in range(12)
    ]
    world = build_world(features, {}, rows, LabelConfig(task="regression"))
    config = ExportConfig(formats=("tflite", "tfjs"))
    report = make_exports(world.model, world.splits, str(tmp_path), config)
    assert report.metric == "mae"
    assert [one.state for one in report.exports] == ["made", "made"]
    assert max(one.largest_difference for one in report.exports) < 1e-4
    assert not list(tmp_path.rglob("labels.txt"))


def test_a_backbone_that_takes_strings_is_a_stated_reason(build_world, tmp_path):
    tf.saved_model.save(Lengths(), str(tmp_path / "lengths"))
    handle = BackboneConfig(handle=f"hub:{tmp_path / 'lengths'}")
    backbone = vendor(handle, tmp_path / "store", tmp_path, "text")
    features = {"title": TextFeature(kind="text", backbone="hub:any")}
    rows = [{"title": b"a" * row, "label": [b"x", b"y"][row % 2]} for row in range(1, 5)]
    world = build_world(features, {"title": backbone}, rows, LabelConfig())
    config = ExportConfig(formats=("tflite", "tflite_int8"))
    report = make_exports(world.model, world.splits, str(tmp_path / "out"), config)
    assert {(one.state, one.reason) for one in report.exports} == {
        (
            "refused",
            "a backbone takes strings itself (title), and an export can only take their tokens",
        )
    }
    assert report.saved_model.bytes > 0


def test_a_model_from_before_exports_were_asked_for_says_so(colours_model, tmp_path):
    config = ExportConfig(formats=("tflite",))
    report = make_exports(str(colours_model), {}, str(tmp_path), config)
    assert report.exports[0].reason == (
        "the model was trained before exports were asked for: run again"
    )


def test_a_conversion_that_takes_too_long_is_given_up(mixed, tmp_path):
    config = ExportConfig(formats=("tflite",), timeout_seconds=1)
    report = make_exports(mixed.model, mixed.splits, str(tmp_path), config)
    assert report.exports[0].reason == "it took longer than export.timeout_seconds, 1 s"
    assert files_below(tmp_path) == set()
