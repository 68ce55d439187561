"""Windows of spans, read for real through Beam."""

import collections
import json
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from components.example_gen import executor, span_executor, span_records, span_store
from components.example_gen.config import DataConfig
from components.example_gen.rows import read_lines
from components.example_gen.sources.columns import Columns
from components.example_gen.span_component import SpanExampleGen
from components.example_gen.span_read import slice_records
from components.example_gen.span_records import Part, ScreenPart
from components.example_gen.spans import Span
from preprocessing.config import ImageFeature, LabelConfig, TextFeature
from preprocessing.errors import DataError, QuarantineError
from tests.components.example_gen.conftest import Ingested, encode

TEXT = {"text": TextFeature(kind="text", backbone="hub:x")}


@pytest.fixture
def run(tmp_path):
    """Declares the component and runs its executor; each call is a run of its own."""
    numbers = iter(range(1, 100))

    def run(source: dict, features=None, span=None, store=True, **data) -> Ingested:
        from tfx.types import standard_artifacts

        component = SpanExampleGen(
            DataConfig.model_validate({"source": source, **data}),
            features or {"image": ImageFeature(kind="image", backbone="hub:x")},
            LabelConfig(),
            store=str(tmp_path / "store") if store else "",
            listed=span is None,
        )
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / "root" / "ExampleGen" / "examples" / str(next(numbers)))
        context = span_executor.Executor.Context(
            beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"]
        )
        properties = dict(component.exec_properties)
        if span is not None:
            # As pipeline/kubeflow_task lays a run's parameter over it; "" leaves it.
            asked = json.loads(properties["config"])
            asked["spans"]["to"] = span or asked["spans"]["to"]
            properties["config"] = json.dumps(asked)
        span_executor.Executor(context).Do({}, {"examples": [artifact]}, properties)
        done = Ingested(artifact)
        assert set(done.counts["examples"]) <= set(component.split_names)
        return done

    return run


def write_table(root: Path, span: int, texts, name="a.csv") -> None:
    path = root / str(span) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{text},{'xy'[len(text) % 2]}" for text in texts]
    path.write_text("\n".join(["text,label", *rows]) + "\n")


def texts_of(span: int, count=60) -> list[str]:
    return [f"text {span} {'a' * n}" for n in range(count)]


def write_tables(root: Path, *spans: int) -> dict:
    for span in spans:
        write_table(root, span, texts_of(span))
    return {"kind": "csv", "path": f"{root}/{{SPAN}}/a.csv"}


def split_of(done: Ingested) -> dict[str, str]:
    """The split of each example."""
    splits = done.counts["examples"]
    return {source: split for split in splits for source in done.sources(split)}


def states(done: Ingested) -> dict[str, str]:
    return {one["name"]: one["state"] for one in done.counts["spans"]}


@pytest.fixture
def inspections(monkeypatch):
    """How many rows each reading of a source looks at."""
    counts = []
    real = executor.Executor._inspect

    def inspect(self, rows, columns, work):
        counts.append(len(rows))
        return real(self, rows, columns, work)

    monkeypatch.setattr(executor.Executor, "_inspect", inspect)
    return counts


def test_a_window_that_moves_reads_the_new_span_alone(tmp_path, run, inspections):
    source = write_tables(tmp_path / "data", 1, 2)
    first = run(source, TEXT, spans={"last": 2})
    assert states(first) == {"1": "new", "2": "new"}
    assert inspections == [60, 60]
    write_tables(tmp_path / "data", 3)
    second = run(source, TEXT, spans={"last": 2})
    assert states(second) == {"2": "kept", "3": "new"}
    assert inspections == [60, 60, 60]
    assert sum(second.counts["examples"].values()) == 120
    assert {source.split("/")[0] for source in split_of(second)} == {"2", "3"}


def test_no_example_changes_its_split_when_the_window_moves(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2, 3)
    before = split_of(run(source, TEXT, spans={"last": 2, "to": 2}))
    after = split_of(run(source, TEXT, spans={"last": 3}))
    alone = split_of(run(source, TEXT, spans={"last": 1, "to": 2}, store=False))
    assert before.items() <= after.items()
    assert alone.items() <= after.items()
    assert set(after.values()) == {"train", "eval", "test"}


def test_the_same_content_is_in_the_same_split_in_every_span(tmp_path, run):
    write_table(tmp_path, 1, texts_of(0, 80))
    write_table(tmp_path, 2, texts_of(0, 30) + texts_of(2, 30))
    done = run({"kind": "csv", "path": f"{tmp_path}/{{SPAN}}/a.csv"}, TEXT, spans={"last": 2})
    assert done.counts["duplicates"] == {"across_splits": 0, "across_classes": 0}


def test_what_is_kept_is_what_would_be_read(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2)
    run(source, TEXT, spans={"last": 1, "to": 1})
    mixed, fresh = (run(source, TEXT, spans={"last": 2}, store=store) for store in (True, False))
    assert states(mixed) == {"1": "kept", "2": "new"}
    for path in sorted(fresh.uri.rglob("data_tfrecord*")):
        assert (mixed.uri / path.relative_to(fresh.uri)).read_bytes() == path.read_bytes()
    assert {**mixed.counts, "spans": 0} == {**fresh.counts, "spans": 0}


def test_pictures_in_class_folders_have_spans(make_folder, run):
    files = {f"{n // 20}/{'ab'[n % 2]}/{n}.png": n for n in range(40)}
    root = make_folder(files)
    done = run({"kind": "image_folder", "path": f"{root}/{{SPAN}}"}, spans={"last": 2})
    assert sorted(split_of(done)) == sorted(files)
    assert done.artifact.get_int_custom_property("span") == 1


def test_splits_that_a_span_brings_are_kept(make_folder, run):
    files = {f"1/{split}/{label}/{split}{n}.png": hash((split, label, n)) % 2**32
             for split in ("train", "val") for label in "ab" for n in range(3)}  # fmt: skip
    root = make_folder(files)
    done = run({"kind": "image_folder", "path": f"{root}/{{SPAN}}"})
    assert done.counts["examples"] == {"train": 6, "eval": 6}


def write_records(path: Path, seeds, options="") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for seed in seeds:
            feature = {
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[encode(seed)])),
                "label": tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[b"ab"[seed % 2 : seed % 2 + 1]])
                ),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def test_tf_examples_have_spans(tmp_path, run):
    write_records(tmp_path / "1" / "a.tfrecord", range(20))
    write_records(tmp_path / "1" / "b.tfrecord.gz", range(20, 40), "GZIP")
    write_records(tmp_path / "2" / "a.tfrecord", range(40, 60))
    source = {"kind": "tfrecord", "path": f"{tmp_path}/{{SPAN}}/*.tfrecord*"}
    done = run(source, spans={"last": 2}, shard_examples=8)
    assert len(split_of(done)) == 60
    assert {one["examples"] for one in done.counts["spans"]} == {40, 20}
    assert "1/b.tfrecord.gz:20" in split_of(done)
    pictures = {one["image"] for split in done.counts["examples"] for one in done.examples(split)}
    assert pictures == {encode(seed) for seed in range(60)}
    again = run(source, spans={"last": 1, "to": 1}, shard_examples=8)
    assert states(again) == {"1": "kept"}


def test_tf_examples_keep_the_splits_of_their_files(tmp_path, run):
    for number, split in enumerate(("train", "eval")):
        write_records(tmp_path / split / "4.tfrecord", range(20 * number, 20 * number + 20))
    path = {split: f"{tmp_path}/{split}/{{SPAN}}.tfrecord" for split in ("train", "eval")}
    assert run({"kind": "tfrecord", "path": path}).counts["examples"] == {"train": 20, "eval": 20}


def test_a_damaged_record_is_set_aside_with_its_span(tmp_path, run):
    path = tmp_path / "3" / "a.tfrecord"
    write_records(path, range(40))
    content = bytearray(path.read_bytes())
    second = int.from_bytes(content[:8], "little") + 16
    content[second + 60] ^= 1
    path.write_bytes(content)
    done = run({"kind": "tfrecord", "path": f"{tmp_path}/{{SPAN}}/a.tfrecord"})
    assert [one["source"] for one in done.quarantine] == ["3/a.tfrecord:2"]


def test_a_part_that_two_workers_do_at_once_is_whole(tmp_path, monkeypatch):
    write_records(tmp_path / "1.tfrecord", range(8))
    image = {"image": ImageFeature(kind="image", backbone="hub:x")}
    columns, work = Columns.of(image), tmp_path / "work"
    span = Span(number=1, name="1", path=str(tmp_path / "1.tfrecord"))
    ((one, _),) = slice_records(span, columns, str(work), 8)
    part = Part(one, None, str(work / "part"))
    screen = ScreenPart(columns, 8)
    read, attempts = span_records.read_slice, []

    def read_with_another_worker(*given):
        rows = list(read(*given))
        yield from rows[:4]
        attempts.append(part)
        if len(attempts) == 1:
            list(screen.process(part))
        yield from rows[4:]

    monkeypatch.setattr(span_records, "read_slice", read_with_another_worker)
    list(screen.process(part))
    assert len(attempts) == 2
    assert len(list(tf.data.TFRecordDataset(part.path))) == 8
    assert len(list(read_lines(part.findings))) == 8


def test_a_new_version_is_read_and_nothing_else(tmp_path, run, inspections):
    for place in ("1/v1", "2/v1"):
        write_table(tmp_path / place, "", texts_of(int(place[0])))
    source = {"kind": "csv", "path": f"{tmp_path}/{{SPAN}}/v{{VERSION}}/a.csv"}
    run(source, TEXT, spans={"last": 2})
    write_table(tmp_path / "1/v2", "", texts_of(1, 40))
    done = run(source, TEXT, spans={"last": 2})
    assert states(done) == {"1": "new", "2": "kept"}
    assert [one["version"] for one in done.counts["spans"]] == [2, 1]
    assert inspections == [60, 60, 40]
    assert done.artifact.get_int_custom_property("version") == 1


def test_a_span_that_changed_is_read_again(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2)
    run(source, TEXT, spans={"last": 2})
    write_table(tmp_path / "data", 1, texts_of(1, 50))
    assert states(run(source, TEXT, spans={"last": 2})) == {"1": "new", "2": "kept"}


def test_a_kept_span_that_is_damaged_is_read_again(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2)
    run(source, TEXT, spans={"last": 2})
    for path in (tmp_path / "store").glob("*/Split-eval/*"):
        path.unlink()
    assert states(run(source, TEXT, spans={"last": 2})) == {"1": "new", "2": "new"}


def test_the_window_and_as_many_other_spans_are_kept(tmp_path, run):
    source = write_tables(tmp_path / "data", *range(1, 6))
    for last in range(1, 6):
        run(source, TEXT, spans={"last": 1, "to": last})
    assert len(list((tmp_path / "store").iterdir())) == 2
    assert states(run(source, TEXT, spans={"last": 1, "to": 4})) == {"4": "kept"}


def test_what_others_have_beside_kept_spans_stays(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2, 3)
    (tmp_path / "store" / "photos").mkdir(parents=True)
    for last in (1, 2, 3):
        run(source, TEXT, spans={"last": 1, "to": last})
    assert (tmp_path / "store" / "photos").is_dir()
    assert len(list((tmp_path / "store").iterdir())) == 3


def test_a_kept_span_that_another_run_deletes_meanwhile_is_read_again(tmp_path, run, monkeypatch):
    source = write_tables(tmp_path / "data", 1)
    before = split_of(run(source, TEXT))
    look = span_store.files_in

    def look_and_delete(folder):
        found = look(folder)
        if folder.startswith(str(tmp_path / "store")):
            shutil.rmtree(folder, ignore_errors=True)
        return found

    monkeypatch.setattr(span_store, "files_in", look_and_delete)
    done = run(source, TEXT)
    assert states(done) == {"1": "new"}
    assert split_of(done) == before


def test_a_run_that_is_killed_keeps_the_spans_that_it_had_read(tmp_path, run, monkeypatch):
    source = write_tables(tmp_path / "data", 1, 2)
    inspect = executor.Executor._inspect

    def inspect_or_die(self, rows, columns, work):
        if rows[0].source.startswith("2/"):
            raise KeyboardInterrupt
        return inspect(self, rows, columns, work)

    with monkeypatch.context() as patch:
        patch.setattr(executor.Executor, "_inspect", inspect_or_die)
        with pytest.raises(KeyboardInterrupt):
            run(source, TEXT, spans={"last": 2})
    assert states(run(source, TEXT, spans={"last": 2})) == {"1": "kept", "2": "new"}


def test_spans_that_are_too_small_to_be_split_say_what_helps(tmp_path, run):
    write_table(tmp_path, 1, texts_of(1, 4))
    with pytest.raises(DataError) as caught:
        run({"kind": "csv", "path": f"{tmp_path}/{{SPAN}}/a.csv"}, TEXT)
    assert str(caught.value).startswith(
        "No example is in the eval split: the data is too small for the ratio in data.splits. "
        "Give more examples, a larger eval share, or more spans.\n"
    )


def test_a_store_that_cannot_be_written_stops_nothing(tmp_path, run):
    (tmp_path / "store").write_text("a file")
    source = write_tables(tmp_path / "data", 1)
    assert states(run(source, TEXT)) == {"1": "new"}


def test_deleting_an_artifact_leaves_the_store_whole(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2)
    shutil.rmtree(run(source, TEXT, spans={"last": 2}).uri)
    assert states(run(source, TEXT, spans={"last": 2})) == {"1": "kept", "2": "kept"}


def test_a_platform_names_the_last_span_when_it_runs(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2, 3)
    done = run(source, TEXT, spans={"last": 2}, span="2")
    assert list(states(done)) == ["1", "2"]
    assert list(states(run(source, TEXT, span=""))) == ["3"]


def test_one_window_is_the_same_however_it_is_asked_for(tmp_path):
    source = write_tables(tmp_path / "data", 1, 2)

    def declare(**spans):
        data = DataConfig.model_validate({"source": source, "spans": spans})
        return SpanExampleGen(data, TEXT, LabelConfig()).exec_properties

    assert declare(last=2) == declare(last=5) == declare(**{"from": 0}) == declare(last=2, to=2)
    assert declare(last=2) != declare(last=1)


def test_a_class_that_appears_or_vanishes_is_that_of_its_spans(tmp_path, run):
    tables = {1: "ab", 2: "bc", 3: "cd"}
    for span, labels in tables.items():
        (tmp_path / str(span)).mkdir()
        rows = [f"text {span} {n},{labels[n % 2]}" for n in range(60)]
        (tmp_path / str(span) / "a.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    source = {"kind": "csv", "path": f"{tmp_path}/{{SPAN}}/a.csv"}
    classes = [
        sorted(run(source, TEXT, spans={"last": 2, "to": last}).counts["classes"])
        for last in (2, 3)
    ]
    assert classes == [["a", "b", "c"], ["b", "c", "d"]]


def test_a_class_of_one_example_is_trained_on_in_its_span(tmp_path, run):
    rows = [f"text {n},{'ab'[n % 2]}" for n in range(60)]
    for span in (1, 2, 3):
        (tmp_path / str(span)).mkdir()
        lines = ["text,label", *rows, f"rare {span},rare"]
        (tmp_path / str(span) / "a.csv").write_text("\n".join(lines) + "\n")
    done = run({"kind": "csv", "path": f"{tmp_path}/{{SPAN}}/a.csv"}, TEXT, spans={"last": 3})
    assert done.counts["classes"]["rare"] == {"train": 3, "eval": 0, "test": 0}


def test_one_bad_span_stops_the_run_however_good_the_others_are(tmp_path, run):
    source = write_tables(tmp_path / "data", 1, 2, 3)
    table = tmp_path / "data" / "3" / "a.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:-6], *(",x" for _ in range(6))]) + "\n")
    with pytest.raises(QuarantineError) as caught:
        run(source, TEXT, spans={"last": 3})
    assert "6 of 60 examples cannot be used" in str(caught.value)
    assert "3/a.csv:56: column 'text' is empty" in str(caught.value)
    # Whoever bears with it has it read already.
    done = run(source, TEXT, spans={"last": 3}, max_quarantined_share=0.2)
    assert set(states(done).values()) == {"kept"}


def test_an_empty_span_stops_the_run_before_it_begins(tmp_path, run):
    source = write_tables(tmp_path / "data", 1)
    write_table(tmp_path / "data", 2, [])
    with pytest.raises(DataError, match="the table has no usable row"):
        run(source, TEXT, spans={"last": 2})


def test_shares_are_right_on_average(tmp_path, run):
    write_table(tmp_path, 1, [f"text {n}" for n in range(1000)])
    done = run({"kind": "csv", "path": f"{tmp_path}/{{SPAN}}/a.csv"}, TEXT)
    sizes = collections.Counter(done.counts["examples"])
    assert 760 < sizes["train"] < 840
    assert 70 < sizes["eval"] < 130


def test_columns_that_are_asked_for_anew_are_read_anew(tmp_path, run):
    source = write_tables(tmp_path / "data", 1)
    run(source, TEXT)
    renamed = {"words": TextFeature(kind="text", backbone="hub:x", column="text")}
    assert states(run(source, renamed)) == {"1": "new"}
    assert json.loads((tmp_path / "root/ExampleGen/examples/2/ingest.json").read_text())["missing"]
