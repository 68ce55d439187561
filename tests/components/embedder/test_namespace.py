"""Kept vectors: found whole or not at all, whatever happens to the files."""

import errno
import os

import numpy as np
import pytest

from components.embedder.store import files
from components.embedder.store import namespace as module
from components.embedder.store.files import LocalFiles
from components.embedder.store.namespace import Namespace

IDENTITY = {"backbone": "sha256:1"}
WIDTH = 5


@pytest.fixture
def open_space(tmp_path):
    def run(identity=IDENTITY, width=WIDTH):
        return Namespace(str(tmp_path / "store"), identity, {"handle": "hub:x"}, width)

    return run


@pytest.fixture
def kept(open_space, keys_of, tmp_path):
    """Keeps 300 vectors in three segments; gives their files, the oldest first."""
    files = []
    for start in (0, 100, 200):
        add(open_space(), keys_of, range(start, start + 100))
        files += sorted(set(tmp_path.glob("store/*/*.vectors")) - set(files))
    return files


def vectors_of(numbers):
    return np.array(numbers, np.float32)[:, np.newaxis] + np.linspace(0, 1, WIDTH, dtype="f4")


def add(space, keys_of, numbers):
    numbers = np.array(numbers)
    space.add(keys_of(numbers), vectors_of(numbers), numbers % 7 == 0)
    space.flush()


def check_found(hits, numbers):
    """What was found is right to the last bit."""
    numbers = np.array(numbers)[hits.found]
    np.testing.assert_array_equal(hits.vectors[hits.found], vectors_of(numbers))
    np.testing.assert_array_equal(hits.marks[hits.found], numbers % 7 == 0)


def test_another_process_finds_what_was_kept(kept, open_space, keys_of):
    numbers = [250, 3, 999, 120, 0]
    hits = open_space().find(keys_of(numbers))
    assert hits.found.tolist() == [True, True, False, True, True]
    assert not hits.own.any()
    assert not hits.lost.any()
    check_found(hits, numbers)


def test_what_this_run_computed_is_told_apart(kept, open_space, keys_of):
    space = open_space()
    space.add(keys_of([500]), vectors_of([500]), np.array([False]))
    hits = space.find(keys_of([500, 5]))
    assert hits.found.tolist() == [True, True]
    assert hits.own.tolist() == [True, False]


def test_other_backbones_vectors_are_not_found(kept, open_space, keys_of):
    assert not open_space({"backbone": "sha256:2"}).find(keys_of([3])).found.any()


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


DAMAGE = {
    "a bit of a vector": lambda path: flip(path, -7),
    "a bit of a key": lambda path: flip(path, 100),
    "a bit of the header": lambda path: flip(path, 12),
    "a bit of the checksum": lambda path: flip(path, 55),
    "cut off": lambda path: os.truncate(path, path.stat().st_size - 1),
    "cut off early": lambda path: os.truncate(path, 70),
    "cut off in the header": lambda path: os.truncate(path, 20),
    "empty": lambda path: os.truncate(path, 0),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "something else": lambda path: path.write_bytes(b"PK\3\4" * 500),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_segment_is_deleted_and_the_others_stay(
    kept, open_space, keys_of, damage, caplog
):
    DAMAGE[damage](kept[1])
    space = open_space()
    hits = space.find(keys_of(range(300)))
    assert hits.found.tolist() == [True] * 100 + [False] * 100 + [True] * 100
    check_found(hits, range(300))
    assert [path.exists() for path in kept] == [True, False, True]
    assert str(kept[1]) in caplog.text
    assert space.take_notes() == [
        "a file of the feature store had been damaged: deleted, and what was needed of it "
        "computed anew"
    ]
    assert space.take_notes() == []
    add(space, keys_of, range(100, 200))
    check_found(open_space().find(keys_of(range(300))), range(300))
    assert open_space().find(keys_of(range(300))).found.all()


def test_what_was_lost_is_told_where_the_index_is_whole(kept, open_space, keys_of):
    flip(kept[1], -7)
    hits = open_space().find(keys_of([150, 199, 400]))
    assert hits.lost.tolist() == [True, True, False]


def test_a_damaged_block_that_nobody_reads_harms_nobody(kept, open_space, keys_of):
    flip(kept[1], -7)
    assert open_space().find(keys_of([100])).found.all()
    assert kept[1].exists()


def test_a_vector_that_is_kept_twice_survives_the_loss_of_one(kept, open_space, keys_of):
    add(open_space(), keys_of, range(100, 200))
    flip(kept[1], -7)
    hits = open_space().find(keys_of(range(100, 200)))
    assert hits.found.all()
    check_found(hits, range(100, 200))


def test_a_segment_of_other_vectors_is_not_believed(kept, open_space, keys_of, tmp_path):
    other = open_space({"backbone": "sha256:2"})
    add(other, keys_of, [1])
    folder = next(path for path in tmp_path.glob("store/*") if path != kept[0].parent)
    (folder / kept[0].name).write_bytes(kept[0].read_bytes())
    assert not open_space({"backbone": "sha256:2"}).find(keys_of([3])).found.any()


def test_what_another_process_deletes_meanwhile_is_missing_and_no_more(kept, open_space, keys_of):
    space = open_space()
    for path in kept:
        path.unlink()
    assert not space.find(keys_of(range(300))).found.any()
    assert space.take_notes() == []
    kept[0].parent.joinpath("namespace.json").unlink()
    kept[0].parent.rmdir()
    add(space, keys_of, range(5))
    assert open_space().find(keys_of(range(5))).found.all()


def test_a_full_disk_is_said_and_nothing_fails(open_space, keys_of, monkeypatch, tmp_path):
    def write(self, path, content):
        raise OSError(errno.ENOSPC, "No space left on device", path)

    space = open_space()
    add(space, keys_of, range(5))
    monkeypatch.setattr(LocalFiles, "write", write)
    add(space, keys_of, range(5, 10))
    add(space, keys_of, range(10, 15))
    assert space.find(keys_of(range(15))).found.sum() == 5
    (note,) = space.take_notes()
    assert note.startswith("New vectors are not kept for later runs: [Errno 28] No space left")


def test_a_store_that_cannot_be_read_is_said_and_nothing_fails(open_space, keys_of, tmp_path):
    (tmp_path / "store").write_text("no folder")
    space = open_space()
    add(space, keys_of, range(5))
    assert not space.find(keys_of(range(5))).found.any()
    assert len(space.take_notes()) == 1


def test_without_a_store_nothing_is_kept(keys_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = Namespace("", IDENTITY, {}, WIDTH)
    add(space, keys_of, range(5))
    assert not space.find(keys_of(range(5))).found.any()
    assert list(tmp_path.iterdir()) == []


def test_segments_are_written_as_vectors_come_in(open_space, keys_of, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SEGMENT_ROWS", 10)
    space = open_space()
    for number in range(25):
        space.add(keys_of([number]), vectors_of([number]), np.array([False]))
    assert len(list(tmp_path.glob("store/*/*.vectors"))) == 2
    assert not list(tmp_path.glob("store/*/*.unfinished"))


def test_many_segments_are_searched_as_one(open_space, keys_of):
    space = open_space()
    for number in range(80):
        add(space, keys_of, [number])
    hits = space.find(keys_of(range(90)))
    assert hits.found.tolist() == [True] * 80 + [False] * 10
    check_found(hits, range(90))


def test_a_folder_that_another_process_removes_while_it_is_empty_is_made_again(
    open_space, keys_of, monkeypatch, tmp_path
):
    made = []

    def make_and_lose(path, exist_ok):
        made.append(path)
        make(path, exist_ok=exist_ok)
        if len(made) == 1:
            os.rmdir(path)

    make = os.makedirs
    (tmp_path / "store").mkdir()
    monkeypatch.setattr(files.os, "makedirs", make_and_lose)
    space = open_space()
    add(space, keys_of, range(5))
    assert space.take_notes() == []
    assert open_space().find(keys_of(range(5))).found.all()
