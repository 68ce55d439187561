"""tf.Examples of others: which can be used, what is kept, and what is said of the rest."""

import json
import math
from pathlib import Path

import pytest
import tensorflow as tf

from components.example_gen.screen import screen_record
from components.example_gen.sources.columns import Columns
from preprocessing.config import (
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from preprocessing.errors import ConfigError, DataError, QuarantineError

IMAGE = ImageFeature(backbone="hub:x")
COLUMNS = Columns.of({"image": IMAGE})


def serialized(**columns) -> bytes:
    """A tf.Example; a list is a column of several values, None one of no kind."""
    features = {}
    for name, value in columns.items():
        values = value if isinstance(value, list) else [value]
        if value is None:
            features[name] = tf.train.Feature()
        elif not values:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList())
        elif isinstance(values[0], bytes):
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        elif isinstance(values[0], int):
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        else:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


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


NOTE = {"note": TextFeature(kind="text", backbone="hub:x")}


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


@pytest.fixture
def write(tmp_path):
    def to_file(name: str, records: list[bytes]) -> Path:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        options = tf.io.TFRecordOptions("GZIP" if name.endswith(".gz") else "")
        with tf.io.TFRecordWriter(str(path), options) as writer:
            for record in records:
                writer.write(record)
        return path

    return to_file


@pytest.fixture
def good(picture):
    def make(start: int, count: int) -> list[bytes]:
        return [
            serialized(image=picture(n), label=[b"a", b"b"][n % 2])
            for n in range(start, start + count)
        ]

    return make


class Screened:
    """What ImportExampleGen and the screen left."""

    def __init__(self, artifact) -> None:
        self.artifact = artifact
        self.uri = Path(artifact.uri)
        self.counts = json.loads((self.uri / "ingest.json").read_text())
        lines = (self.uri / "quarantine.jsonl").read_text().splitlines()
        self.quarantine = [json.loads(line) for line in lines]

    def sources(self, split: str) -> list[str]:
        files = sorted(str(path) for path in (self.uri / f"Split-{split}").iterdir())
        return [
            tf.train.Example.FromString(record.numpy())
            .features.feature["source"]
            .bytes_list.value[0]
            .decode()
            for record in tf.data.TFRecordDataset(files)
        ]


BEAM = ["--runner=FnApiRunner", "--sdk_container_image=unused"]


@pytest.fixture
def run(tmp_path, declare):
    """Runs the stock component and ours, as the pipeline has them."""

    def screen(path, **data) -> Screened:
        from tfx.types import standard_artifacts

        imported, component = declare(path, **data)
        inputs = standard_artifacts.Examples()
        inputs.uri = str(tmp_path / "root" / "ImportExampleGen" / "examples" / "1")
        _executor(imported).Do({}, {"examples": [inputs]}, dict(imported.exec_properties))
        outputs = standard_artifacts.Examples()
        outputs.uri = str(tmp_path / "root" / "ExampleGen" / "examples" / "2")
        _executor(component).Do(
            {"imported": [inputs]}, {"examples": [outputs]}, dict(component.exec_properties)
        )
        return Screened(outputs)

    return screen


def _executor(component):
    executor = component.executor_spec.executor_class
    return executor(executor.Context(beam_pipeline_args=BEAM))


@pytest.fixture
def declare():
    def make(path, label=None, carry=(), features=None, **data):
        from components.example_gen.config import DataConfig
        from components.example_gen.screen_component import ExampleScreen, import_records

        paths = {key: str(one) for key, one in path.items()} if isinstance(path, dict) else path
        config = DataConfig.model_validate(
            {"source": {"kind": "tfrecord", "path": paths if paths is not path else str(path)}}
            | data
        )
        imported = import_records(config)
        channel = imported.outputs["examples"]
        screen = ExampleScreen(
            channel, config, features or {"image": IMAGE}, label or LabelConfig(), carry
        )
        return imported, screen

    return make


def test_bad_records_are_set_aside_by_the_names_that_their_users_know(write, good, run, picture):
    bad = [
        serialized(image=picture(90, "JPEG")[:600], label=b"a"),
        serialized(image=picture(91)),
        serialized(label=b"b"),
        b"\x0a\xff\xff",
    ]
    train = write("train/one.tfrecord", good(0, 20) + bad[:2] + good(20, 10))
    write("train/two.tfrecord.gz", [*bad[2:], *good(30, 10)])
    val = write("val.tfrecord", good(100, 6))
    done = run(
        {"train": train.parent / "*", "eval": val, "test": write("test.tfrecord", good(110, 5))},
        max_quarantined_share=0.1,
    )
    assert done.counts["examples"] == {"train": 40, "eval": 6, "test": 5}
    assert done.counts["classes"]["a"] == {"train": 20, "eval": 3, "test": 3}
    assert json.loads(done.artifact.split_names) == ["train", "eval", "test"]
    reasons = {one["source"]: one["reason"].split(" (")[0] for one in done.quarantine}
    assert reasons == {
        "train/one.tfrecord:21": "JPEG: damaged or cut short",
        "train/one.tfrecord:22": "there is no column 'label', only: image",
        "train/two.tfrecord.gz:1": "there is no column 'image', only: label",
        "train/two.tfrecord.gz:2": "the record is no tf.Example",
    }
    assert {one["split"] for one in done.quarantine} == {"train"}
    places = [f"train/one.tfrecord:{n}" for n in (*range(1, 21), *range(23, 33))]
    places += [f"train/two.tfrecord.gz:{n}" for n in range(3, 13)]
    assert sorted(done.sources("train")) == sorted(places)
    assert sorted(done.sources("eval")) == [f"val.tfrecord:{n}" for n in range(1, 7)]


def test_one_pattern_is_split_by_hash_and_leaves_nothing_but_splits_and_records(write, good, run):
    path = write("all.tfrecord", good(0, 60))
    done = run(path, splits={"train": 3, "eval": 1, "test": 1})
    assert sum(done.counts["examples"].values()) == 60
    assert list(done.counts["examples"]) == ["train", "eval", "test"]
    sources = [name for split in done.counts["examples"] for name in done.sources(split)]
    assert sorted(sources) == sorted(f"all.tfrecord:{n}" for n in range(1, 61))
    left = {str(p.relative_to(done.uri)) for p in done.uri.rglob("*") if p.is_file()}
    assert {name for name in left if not name.startswith("Split-")} == {
        "ingest.json",
        "quarantine.jsonl",
    }
    assert all(".gz" not in name and "partial" not in name for name in left)


def test_too_many_bad_records_stop_the_run_with_the_list(write, good, run, tmp_path):
    train = write("train.tfrecord", [*good(0, 10), serialized(label=b"a"), b"\x0a\xff\xff"])
    with pytest.raises(QuarantineError) as error:
        run({"train": train, "eval": write("eval.tfrecord", good(20, 4))})
    kept = tmp_path / "root" / "ExampleGen" / "quarantine" / "2.jsonl"
    lines = str(error.value).splitlines()
    assert lines[0] == (
        "2 of 16 examples cannot be used, more than data.max_quarantined_share = 0.05 allows."
    )
    assert sorted(lines[1:3]) == [
        "  train.tfrecord:11: there is no column 'image', only: label",
        "  train.tfrecord:12: the record is no tf.Example",
    ]
    assert lines[3:] == [f"  All of them: {kept}"]
    assert len(kept.read_text().splitlines()) == 2


def test_a_class_of_which_nothing_is_left_is_named(write, good, run):
    train = write("train.tfrecord", [*good(0, 40), serialized(image=b"x", label=b"c")])
    with pytest.raises(DataError, match="No usable example is left of class 'c'; the first is tr"):
        run({"train": train, "eval": write("eval.tfrecord", good(50, 4))})


def test_a_split_with_nothing_in_it_is_refused(write, good, run):
    paths = {
        "train": write("train.tfrecord", good(0, 4)),
        "eval": write("eval.tfrecord", good(50, 4)),
        "test": write("test.tfrecord", []),
    }
    with pytest.raises(DataError, match="No example is in the test split"):
        run(paths)


def test_progress_is_reported_to_the_end(write, good, run, caplog):
    with caplog.at_level("INFO", logger="graft.progress"):
        run({"train": write("a.tfrecord", good(0, 40)), "eval": write("b.tfrecord", good(50, 4))})
    reports = [
        (one.graft_stage, one.graft_done, one.graft_total, one.graft_unit)
        for one in caplog.records
        if one.name == "graft.progress"
    ]
    assert reports[1] == ("ExampleGen", 2, 2, "files indexed")
    assert reports[-1] == ("ExampleGen", 44, 44, "examples checked")


def test_the_splits_are_known_before_anything_runs(write, good, declare):
    path = write("all.tfrecord", good(0, 4))
    assert declare(path)[1].split_names == ("train", "eval", "test")
    sizes = {"train": 3, "eval": 1, "test": 0}
    assert declare(path, splits=sizes)[1].split_names == ("train", "eval")
    assert declare({"eval": path, "train": path})[1].split_names == ("train", "eval")


def test_another_kind_of_source_is_refused(write, good, declare):
    source = {"kind": "csv", "path": str(write("all.tfrecord", good(0, 4)))}
    with pytest.raises(ConfigError, match="only tf.Examples of others"):
        declare("unused", source=source)


def test_texts_and_numbers_pass_the_stock_import_with_what_is_missing(write, run):
    def notes(start: int, count: int) -> list[bytes]:
        return [
            serialized(note=b"note %d" % n, label=float(n), **({"price": n} if n % 3 else {}))
            for n in range(start, start + count)
        ]

    features = NOTE | {"price": NumericFeature(kind="numeric", missing="default")}
    done = run(
        {
            "train": write("train.tfrecord", [*notes(0, 30), serialized(note=b"x", label=b"?")]),
            "eval": write("eval.tfrecord", notes(30, 6)),
        },
        features=features,
        label=LabelConfig(task="regression"),
        max_quarantined_share=0.1,
    )
    assert done.counts["examples"] == {"train": 30, "eval": 6}
    assert done.counts["missing"]["price"] == {"train": 10, "eval": 2}
    assert done.counts["label"]["eval"] == {"min": 30, "mean": 32.5, "max": 35}
    assert [one["source"] for one in done.quarantine] == ["train.tfrecord:31"]
