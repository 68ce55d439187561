"""A tf.Example of others: whether it can be used, what is kept, and what is said if not."""

import math

import pytest
import tensorflow as tf

from components.example_gen.screen import screen_record
from components.example_gen.sources.columns import Columns
from preprocessing.config import (
    CategoricalFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from tests.components.example_gen.tf_examples import IMAGE, NOTE, serialized

COLUMNS = Columns.of({"image": IMAGE})


def screened(record: bytes, columns: Columns = COLUMNS):
    return screen_record(record, "x.tfrecord:1", "train", columns)


def kept(record: bytes, columns: Columns = COLUMNS) -> dict:
    features = tf.train.Example.FromString(screened(record, columns).example).features.feature
    return {
        name: next(iter(one.bytes_list.value or one.int64_list.value or one.float_list.value))
        for name, one in features.items()
    }


def test_a_usable_example_gets_the_columns_of_every_source_and_loses_all_others(picture):
    assert kept(serialized(image=picture(1), label=b"cat", box=[0.5, 1.0])) == {
        "image": picture(1),
        "image_width": 20,
        "image_height": 14,
        "image_bytes": len(picture(1)),
        "image_format": b"PNG",
        "label": b"cat",
        "source": b"x.tfrecord:1",
    }


@pytest.mark.parametrize(("label", "text"), [(b"7", b"7"), (7, b"7"), (-1, b"-1"), (0, b"0")])
def test_an_integer_label_becomes_its_decimal_text(picture, label, text):
    assert kept(serialized(image=picture(1), label=label))["label"] == text


def test_a_record_that_knows_its_source_keeps_it(picture):
    assert kept(serialized(image=picture(1), label=b"a", source=b"a/1.png"))["source"] == b"a/1.png"


@pytest.mark.parametrize(
    ("given", "text"), [(b"acme", b"acme"), (3, b"3"), (0.5, b"0.5"), (None, b"")]
)
def test_carried_columns_become_text(picture, given, text):
    columns = Columns.of({"image": IMAGE}, carry=("brand",))
    assert kept(serialized(image=picture(1), label=b"a", brand=given), columns)["brand"] == text


PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"image": PNG}, "there is no column 'label', only: image"),
        ({}, "there is no column 'label', only: nothing"),
        ({"image": PNG, "label": None}, "column 'label' is empty"),
        ({"image": PNG, "label": b""}, "column 'label' is empty"),
        ({"image": PNG, "label": b"caf\xe9"}, "column 'label' is not UTF-8 text: b'caf\\xe9'"),
        (
            {"image": PNG, "label": 1.5},
            "column 'label' holds the float 1.5; a label is text or whole",
        ),
        ({"image": PNG, "label": [1, 2]}, "column 'label' holds 2 values instead of one"),
        ({"label": b"a", "picture": PNG}, "there is no column 'image', only: label, picture"),
        ({"label": b"a", "image": 3}, "column 'image' holds the int 3, no encoded picture"),
        ({"label": b"a", "image": b""}, "column 'image' is empty"),
        ({"label": b"a", "image": [PNG, PNG]}, "column 'image' holds 2 values instead of one"),
    ],
)
def test_what_is_wrong_with_a_column_is_the_reason(columns, reason):
    assert screened(serialized(**columns)).reason == reason


def test_bytes_that_are_no_example_are_quarantined():
    found = screened(b"\x0a\xff\xff")
    assert (found.source, found.reason) == ("x.tfrecord:1", "the record is no tf.Example")


def test_a_damaged_picture_keeps_its_label_and_names_the_feature_where_there_are_several(picture):
    cut = picture(1, "JPEG")[:600]
    found = screened(serialized(image=cut, label=b"cat"))
    assert found.label == "cat"
    assert found.split == "train"
    assert found.reason.startswith("JPEG: damaged or cut short (")
    both = Columns.of({"front": IMAGE, "back": IMAGE})
    found = screened(serialized(front=picture(1), back=cut, label=b"cat"), both)
    assert found.reason.startswith("back: JPEG: damaged or cut short (")


def of(missing: str) -> Columns:
    return Columns.of(
        {
            "photo": IMAGE.model_copy(update={"column": "image", "missing": missing}),
            "name": TextFeature(kind="text", backbone="hub:x", missing=missing),
            "price": NumericFeature(kind="numeric", missing=missing),
            "brand": CategoricalFeature(kind="categorical", missing=missing),
        }
    )


@pytest.mark.parametrize(("price", "stored"), [(12.5, 12.5), (3, 3.0), (-1, -1.0)])
@pytest.mark.parametrize(("brand", "word"), [(b"Acme", b"Acme"), (7, b"7"), (b" A ", b"A")])
def test_each_kind_is_taken_from_the_types_that_it_may_have(picture, price, stored, brand, word):
    record = serialized(image=picture(1), name="Stühle".encode(), price=price, brand=brand, label=1)
    found = kept(record, of("reject"))
    assert (found["photo"], found["photo_width"]) == (picture(1), 20)
    assert (found["name"], found["name_characters"]) == ("Stühle".encode(), 6)
    assert (found["price"], found["brand"]) == (stored, word)


@pytest.mark.parametrize(
    "absent", [{}, {"name": None, "price": []}, {"name": b" ", "price": math.nan, "brand": b""}]
)
def test_what_is_absent_empty_or_nan_is_missing(absent):
    record = serialized(**absent, image=b"", label=b"a")
    assert screened(record, of("default")).reason == "every feature is missing"
    found = screened(serialized(**absent | {"label": b"a", "brand": 3}), of("default")).inspected
    assert found.row.values == {"photo": "", "name": "", "price": "", "brand": "3"}
    assert found.pictures == {}


@pytest.mark.parametrize("missing", ["reject", "default"])
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"price": b"12"}, "column 'price' holds the bytes b'12', no number"),
        ({"price": math.inf}, "column 'price' holds 'inf', no finite number"),
        ({"price": [1.0, 2.0]}, "column 'price' holds 2 values instead of one"),
        ({"name": 3}, "column 'name' holds the int 3, no text"),
        ({"name": 1.5}, "column 'name' holds the float 1.5, no text"),
        ({"name": b"caf\xe9"}, "column 'name' is not UTF-8 text: b'caf\\xe9'"),
        ({"brand": 1.5}, "column 'brand' holds the float 1.5; a category is text or whole"),
        ({"image": 3}, "column 'image' holds the int 3, no encoded picture"),
        ({"image": b"x"}, "not a JPEG, PNG, GIF or BMP: the file starts with b'x'"),
    ],
)
def test_a_wrong_value_is_refused_under_either_policy(picture, missing, wrong, reason):
    whole = {"image": picture(1), "name": b"x", "price": 1.0, "brand": b"A", "label": b"a"}
    assert screened(serialized(**whole | wrong), of(missing)).reason == reason


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, "there is no column 'name', only: brand, image, label, price"),
        ({"name": None}, "column 'name' is empty"),
        ({"name": b" "}, "column 'name' is empty"),
    ],
)
def test_a_missing_value_is_refused_where_the_feature_says_so(picture, columns, reason):
    record = serialized(image=picture(1), price=1.0, brand=b"A", label=b"a", **columns)
    assert screened(record, of("reject")).reason == reason


@pytest.mark.parametrize(
    ("task", "label", "stored"),
    [
        ("multilabel", [b"b", b" a", b"b"], b"b|a"),
        ("multilabel", [3, 4], b"3|4"),
        ("multilabel", b"a | b", b"a|b"),
        ("regression", 1.5, b"1.5"),
        ("regression", 3, b"3"),
        ("regression", b" 1e3", b"1e3"),
    ],
)
def test_labels_are_brought_to_the_form_of_their_task(task, label, stored):
    columns = Columns.of(NOTE, LabelConfig(task=task))
    assert kept(serialized(note=b"x", label=label), columns)["label"] == stored


@pytest.mark.parametrize(
    ("task", "label", "reason"),
    [
        (
            "multilabel",
            [b"a", b"b|c"],
            "column 'label': the label 'b|c' holds label.separator '|'; choose another",
        ),
        ("multilabel", [b"a", b"caf\xe9"], "column 'label' is not UTF-8 text: b'caf\\xe9'"),
        ("multilabel", [0.5], "column 'label' holds the float 0.5; a label is text or whole"),
        ("multilabel", [], "column 'label' is empty"),
        ("multilabel", b"|", "column 'label' is empty"),
        ("regression", math.nan, "column 'label' holds 'nan', no finite number"),
        ("regression", b"cheap", "column 'label' holds 'cheap', no finite number"),
        ("regression", [1.0, 2.0], "column 'label' holds 2 values instead of one"),
    ],
)
def test_what_is_no_label_of_the_task_is_the_reason(task, label, reason):
    columns = Columns.of(NOTE, LabelConfig(task=task))
    assert screened(serialized(note=b"x", label=label), columns).reason == reason
