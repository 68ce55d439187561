"""TFRecord files as people have them, looked at before anything runs."""

import gzip

import pytest
import tensorflow as tf
from pydantic import ValidationError

from components.example_gen.config import TfRecordSource
from components.example_gen.sources.tfrecord import find_files, patterns
from preprocessing.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path):
    for name in ("a-0.tfrecord", "a-1.tfrecord", "b.tfrecord.gz"):
        options = tf.io.TFRecordOptions("GZIP" if name.endswith(".gz") else "")
        with tf.io.TFRecordWriter(str(tmp_path / name), options) as writer:
            for number in range(3):
                writer.write(b"%d" % number * 1000)
    return tmp_path


def source(path) -> TfRecordSource:
    return TfRecordSource(kind="tfrecord", path=path)


def test_patterns_are_sorted_files_of_each_split(folder):
    paths = {"train": f"{folder}/a-*", "eval": f"{folder}/b.tfrecord.gz"}
    assert find_files(source(paths)) == {
        "train": [f"{folder}/a-0.tfrecord", f"{folder}/a-1.tfrecord"],
        "eval": [f"{folder}/b.tfrecord.gz"],
    }
    assert find_files(source(f"{folder}/b*")) == {None: [f"{folder}/b.tfrecord.gz"]}


def test_a_pattern_without_a_match_names_what_is_there(folder):
    with pytest.raises(DataError) as error:
        find_files(source({"train": f"{folder}/a-*", "eval": f"{folder}/c*"}))
    assert str(error.value) == (
        "data.source.path.eval: there is no such file.\n"
        f"  Received: '{folder}/c*'\n"
        "  Valid: a-0.tfrecord, a-1.tfrecord, b.tfrecord.gz"
    )


def test_a_bucket_that_does_not_let_us_in_is_said(monkeypatch):
    def refuse(pattern):
        raise tf.errors.PermissionDeniedError(None, None, "403: it is not yours")

    monkeypatch.setattr(tf.io.gfile, "glob", refuse)
    with pytest.raises(DataError) as error:
        find_files(source("ram://nowhere/*.tfrecord"))
    assert str(error.value) == (
        "data.source.path cannot be read: 403: it is not yours\n"
        "  Received: 'ram://nowhere/*.tfrecord'"
    )


def test_a_folder_is_told_how_to_name_its_files(folder):
    with pytest.raises(DataError, match=r"this is a folder; name the files in it, such as .*/\*"):
        find_files(source(str(folder)))


def test_what_is_no_record_file_is_named(folder):
    path = folder / "table.tfrecord"
    path.write_text("image,label\n1.png,cat\n")
    with pytest.raises(DataError, match="table.tfrecord: this is no TFRecord file"):
        find_files(source(f"{folder}/*"))


@pytest.mark.parametrize("keep", [1500, 2040, 3047])
def test_a_file_that_is_cut_short_is_named_with_the_record(folder, keep):
    path = folder / "a-0.tfrecord"
    path.write_bytes(path.read_bytes()[:keep])
    number = keep // 1016 + 1
    with pytest.raises(DataError, match=rf"a-0.tfrecord: the file is cut short .* record {number}"):
        find_files(source(str(path)))


def test_compression_must_show_in_the_name(folder):
    path = folder / "c.tfrecord"
    path.write_bytes(gzip.compress((folder / "a-0.tfrecord").read_bytes()))
    with pytest.raises(DataError, match=r"its name must end in .gz"):
        find_files(source(str(path)))
    path = folder / "a-1.tfrecord"
    path.rename(f"{path}.gz")
    with pytest.raises(DataError, match="no TFRecord file"):
        find_files(source(f"{path}.gz"))


def test_an_empty_file_has_no_records_and_is_whole(folder):
    (folder / "none.tfrecord").write_bytes(b"")
    assert find_files(source(f"{folder}/none*")) == {None: [f"{folder}/none.tfrecord"]}


@pytest.mark.parametrize(
    ("paths", "base", "relative"),
    [
        ("/data/all-*", "/data", {None: "all-*"}),
        ("/all", "/", {None: "all"}),
        (
            {"train": "/d/x/train/*", "eval": "/d/x/eval.gz"},
            "/d/x",
            {"train": "train/*", "eval": "eval.gz"},
        ),
        ({"train": "/one/a", "eval": "/two/b"}, "/", {"train": "one/a", "eval": "two/b"}),
        ({"train": "gs://b/t/*", "eval": "gs://b/e"}, "gs://b", {"train": "t/*", "eval": "e"}),
        ({"train": "gs://b/t", "eval": "gs://c/e"}, "gs://", {"train": "b/t", "eval": "c/e"}),
    ],
)
def test_paths_are_parted_into_a_shared_folder_and_the_rest(paths, base, relative):
    assert patterns(source(paths)) == (base, relative)


def test_paths_on_different_file_systems_are_refused():
    with pytest.raises(ConfigError, match="must be in one place"):
        patterns(source({"train": "/one/a", "eval": "gs://two/b"}))


@pytest.mark.parametrize("given", [{"train": "a"}, {"train": "a", "test": "b"}])
def test_splits_of_its_own_need_train_and_eval(given):
    with pytest.raises(
        ValidationError, match="path must name train and eval where it names splits"
    ):
        source(given)
