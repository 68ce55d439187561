"""Records of others go through the stock import and the screen, as the pipeline has them."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from preprocessing.config import (
    LabelConfig,
    NumericFeature,
)
from preprocessing.errors import ConfigError, DataError, QuarantineError
from tests.components.example_gen.conftest import Ingested
from tests.components.example_gen.tf_examples import IMAGE, NOTE, serialized


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


BEAM = ["--runner=FnApiRunner", "--sdk_container_image=unused"]


@pytest.fixture
def run(tmp_path, declare):
    """Runs the stock component and ours, as the pipeline has them."""

    def screen(path, **data) -> Ingested:
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
        return Ingested(outputs)

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
