"""The notes of blessed models: whole, few, and the right one is the baseline."""

import json

import pytest
import tensorflow as tf

from components.pusher.manifest import Manifest
from pipeline.blessed.notes import KEPT, Note, choose, read_notes, write_note
from pipeline.blessed.places import blessed_folder
from preprocessing.errors import DataError


def note(number, digest="sha256:x"):
    return Note(
        blessed_at=number,
        model=f"gs://b/{number}/model",
        model_digest=digest,
        model_blessing="gs://b/blessing",
        model_run="gs://b/run",
    )


def serving(digest, *withdrawn):
    facts = {"version": 3, "first_version": 1, "pushed_at": "", "files": {}}
    return Manifest(**facts, model_digest=digest, withdrawn=withdrawn)


def test_there_are_none_before_the_first(tmp_path):
    assert read_notes(str(tmp_path / "none")) == []
    assert choose([], None) is None


@pytest.mark.parametrize("folder", ["{}", "ram://blessed/{}"])
def test_the_newest_comes_first_and_old_ones_go_with_their_copies(tmp_path, folder):
    folder = folder.format(tmp_path / "blessed")
    for number in range(8, 8 + KEPT + 1):
        tf.io.gfile.makedirs(f"{folder}/{number}/model")
        write_note(folder, note(number))
    assert [one.blessed_at for one in read_notes(folder)] == list(range(8 + KEPT, 8, -1))
    names = {name.strip("/") for name in tf.io.gfile.listdir(folder)}
    assert not names & {"8", "8.json"}
    assert {"9", "9.json"} <= names


def test_a_note_that_is_being_written_is_not_read(tmp_path):
    write_note(str(tmp_path), note(1))
    (tmp_path / "2.json.part").write_text(json.dumps({"blessed_at": 2}))
    assert read_notes(str(tmp_path)) == [note(1)]


def test_the_baseline_is_the_last_blessed_model():
    assert choose([note(2), note(1)], None) == note(2)


def test_after_a_rollback_it_is_the_model_that_serves():
    notes = [note(3, "c"), note(2, "b"), note(1, "a")]
    assert choose(notes, serving("a", "b", "c")) == notes[2]


def test_a_model_that_was_rolled_back_from_is_never_the_baseline():
    notes = [note(3, "c"), note(2, "b")]
    assert choose(notes, serving("unknown", "c")) == notes[1]
    assert choose(notes, serving("unknown", "b", "c")) is None


def test_notes_lie_below_the_root_where_tasks_can_write():
    assert blessed_folder("gs://b/root/", "shop", "/push") == "gs://b/root/blessed/shop"
    assert blessed_folder("/mnt/root", "shop") == "/mnt/root/blessed/shop"


def test_else_they_lie_beside_what_is_pushed_or_nowhere():
    assert blessed_folder("minio://b/root", "shop", "/mnt/shop/") == "/mnt/shop.blessed"
    assert blessed_folder("s3://b/root", "shop") is None
    assert blessed_folder("s3://b/root", "shop", "s3://b/push") is None


def test_a_note_that_cannot_be_understood_is_an_error(tmp_path):
    (tmp_path / "1.json").write_text('{"blessed_at": 1}')
    with pytest.raises(DataError) as caught:
        read_notes(str(tmp_path))
    assert str(caught.value) == (
        "The note of a blessed model cannot be understood: Field required\n"
        f"  Received: '{tmp_path}/1.json'\n"
        "  See: the image that wrote it; without the file, the one before it counts"
    )


def test_what_is_no_note_is_left_alone(tmp_path):
    (tmp_path / "owner.json").write_text("{}")
    write_note(str(tmp_path), note(1))
    assert read_notes(str(tmp_path)) == [note(1)]
    assert (tmp_path / "owner.json").exists()
