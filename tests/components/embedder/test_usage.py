"""What a store holds, and what is deleted first."""

import os
import time

import numpy as np
import pytest

from components.embedder.store.files import LocalFiles
from components.embedder.store.namespace import Namespace
from components.embedder.store.usage import prune, read_usage

HOUR = 3600


@pytest.fixture
def store(tmp_path, keys_of):
    """Two namespaces of three segments each, of ten vectors, an hour between them."""
    root = tmp_path / "store"
    now = time.time()
    for backbone in ("one", "two"):
        for number in range(3):
            space = Namespace(str(root), {"backbone": backbone}, {"handle": backbone}, 4)
            numbers = range(10 * number, 10 * number + 10)
            space.add(keys_of(numbers), np.ones((10, 4), np.float32), np.zeros(10, bool))
            space.flush()
            known = sorted(root.glob("*/*.vectors"), key=lambda path: path.stat().st_mtime)
            age = (6 - len(known)) * HOUR
            os.utime(known[-1], (now - age, now - age))
    return root


def open_one(store, backbone="one"):
    return Namespace(str(store), {"backbone": backbone}, {"handle": backbone}, 4)


def test_every_namespace_is_counted_the_last_used_first(store):
    usage = read_usage(str(store))
    assert [(one.about["handle"], one.entries, one.segments) for one in usage] == [
        ("two", 30, 3),
        ("one", 30, 3),
    ]
    files = [path.stat().st_size for path in store.glob("*/*.vectors")]
    assert sum(one.bytes for one in usage) == sum(files)
    assert usage[0].used == pytest.approx(time.time(), abs=60)


def test_no_store_holds_nothing(tmp_path):
    assert read_usage(str(tmp_path / "none")) == []
    assert prune(str(tmp_path / "none"), 0) == (0, 0, 0)


def test_what_was_not_used_for_longest_goes_first(store, keys_of):
    size = next(store.glob("*/*.vectors")).stat().st_size
    # The oldest of all is used once more.
    assert open_one(store).find(keys_of([3])).found.all()
    assert prune(str(store), 4 * size) == (2, 2 * size, 4 * size)
    found = open_one(store).find(keys_of(range(30))).found
    assert found.tolist() == [True] * 10 + [False] * 20
    assert open_one(store, "two").find(keys_of(range(30))).found.all()


def test_what_fits_stays(store):
    assert prune(str(store), 10**9).segments == 0


def test_what_was_not_used_for_so_long_goes(store):
    assert prune(str(store), float("inf"), older_than_seconds=3.5 * HOUR).segments == 2
    assert [one.segments for one in read_usage(str(store))] == [3, 1]


def test_nothing_stays_of_a_namespace_without_vectors(store):
    assert prune(str(store), 0).left_bytes == 0
    assert list(store.iterdir()) == []


def test_what_others_have_in_the_same_folder_stays(store):
    (store / "glove").mkdir()
    (store / "glove" / "wiki.vectors").write_bytes(b"mine")
    (store / "empty").mkdir()
    assert len(read_usage(str(store))) == 2
    prune(str(store), 0)
    left = sorted(str(one.relative_to(store)) for one in store.rglob("*"))
    assert left == ["empty", "glove", "glove/wiki.vectors"]


def test_what_a_killed_process_left_half_written_goes_in_the_end(store):
    old, new = (next(store.iterdir()) / f"x.vectors.{name}.unfinished" for name in ("old", "new"))
    for path, age in ((old, 2 * HOUR), (new, 0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    prune(str(store), 10**9)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_file_that_another_process_deletes_first_is_no_mistake(store, monkeypatch):
    def remove_twice(self, path):
        os.remove(path)
        os.remove(path)

    monkeypatch.setattr(LocalFiles, "remove", remove_twice)
    assert prune(str(store), 0).left_bytes == 0


def test_a_namespace_whose_description_was_lost_is_shown_without(store):
    for path in store.glob("*/namespace.json"):
        path.write_text("{")
    assert [(one.about, one.entries, one.segments) for one in read_usage(str(store))] == [
        ({}, 0, 3),
        ({}, 0, 3),
    ]


def test_vectors_of_two_bytes_a_number_are_counted_as_such(tmp_path, keys_of):
    space = Namespace(str(tmp_path), {"backbone": "half"}, {"handle": "half"}, 4, "float16")
    space.add(keys_of(range(100)), np.ones((100, 4), np.float32), np.zeros(100, bool))
    space.flush()
    (usage,) = read_usage(str(tmp_path))
    assert (usage.entries, usage.about["dtype"]) == (100, "float16")
