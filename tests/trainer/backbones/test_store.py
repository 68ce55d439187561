"""The store's promises: named by content, whole or absent, safe to share."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing.errors import BackboneError
from trainer.backbones.store import (
    content_digest,
    entry,
    files_below,
    is_intact,
    publish,
    recall,
    remember,
    staging,
)


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def digest_of(folder):
    return content_digest(files_below(folder))


def put(store, **files):
    with staging(store) as folder:
        staged = write(folder / "content", **files)
        digest = digest_of(staged)
        publish(store, staged, digest)
    return digest


def test_the_digest_is_the_documented_one(tmp_path):
    import hashlib

    write(tmp_path, b="two", a__c="one")
    lines = [("a/c", b"one"), ("b", b"two")]
    text = "".join(f"{name}\0{hashlib.sha256(body).hexdigest()}\n" for name, body in lines)
    assert digest_of(tmp_path) == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@settings(max_examples=30)
@given(st.dictionaries(st.text("ab", min_size=1, max_size=3), st.binary(max_size=3), min_size=2))
def test_any_change_of_name_or_content_changes_the_digest(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("files")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    before = digest_of(folder)
    first = sorted(files)[0]
    (folder / first).write_bytes(files[first] + b"x")
    changed = digest_of(folder)
    (folder / first).write_bytes(files[first])
    (folder / first).rename(folder / "other")
    assert len({before, changed, digest_of(folder)}) == 3


def test_published_content_is_intact_and_nothing_else_is_left(tmp_path):
    digest = put(tmp_path, model="x")
    assert is_intact(tmp_path, digest)
    assert [path.name for path in tmp_path.iterdir()] == [entry(tmp_path, digest).name]


@pytest.mark.parametrize("damage", ["truncate", "change", "remove", "add"])
def test_every_kind_of_damage_is_noticed_and_mended_by_publishing_again(tmp_path, damage):
    digest = put(tmp_path, model="content", other="more")
    folder = entry(tmp_path, digest)
    if damage == "remove":
        (folder / "model").unlink()
    else:
        name = "extra" if damage == "add" else "model"
        (folder / name).write_text({"truncate": "conten", "change": "c0ntent", "add": ""}[damage])
    assert not is_intact(tmp_path, digest)
    assert put(tmp_path, model="content", other="more") == digest
    assert is_intact(tmp_path, digest)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_missing_entry_is_not_intact(tmp_path):
    assert not is_intact(tmp_path, "sha256:" + "0" * 64)


def test_a_failure_while_staging_leaves_nothing_behind(tmp_path):
    def fail():
        with staging(tmp_path) as folder:
            write(folder, half="x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(BackboneError) as caught, staging(tmp_path / "store"):
        pass
    assert str(caught.value) == (
        f"The store of backbones cannot be written: File exists.\n"
        f"  Received: {str(tmp_path / 'store')!r}"
    )


def test_a_source_is_remembered(tmp_path):
    assert recall(tmp_path, "https://a/1") is None
    remember(tmp_path, "https://a/1", "sha256:1")
    remember(tmp_path, "https://a/2", "sha256:2")
    assert recall(tmp_path, "https://a/1") == "sha256:1"


@pytest.mark.parametrize("note", ["", "{", "[]", "{}", json.dumps({"source": "b", "digest": "x"})])
def test_a_spoilt_note_counts_as_none(tmp_path, note):
    remember(tmp_path, "a", "sha256:1")
    next((tmp_path / "sources").iterdir()).write_text(note)
    assert recall(tmp_path, "a") is None


def test_processes_that_publish_the_same_content_at_once_all_succeed(tmp_path):
    store, go = tmp_path / "store", tmp_path / "go"
    code = (
        "import sys, time, pathlib\n"
        "from trainer.backbones.store import *\n"
        "store, go = map(pathlib.Path, sys.argv[1:])\n"
        "with staging(store) as folder:\n"
        "    staged = folder / 'content'\n"
        "    staged.mkdir()\n"
        "    (staged / 'model').write_bytes(b'x' * 2**20)\n"
        "    digest = content_digest(files_below(staged))\n"
        "    (folder / 'ready').touch()\n"
        "    while not go.exists(): time.sleep(0.001)\n"
        "    publish(store, staged, digest)\n"
        "remember(store, 'source', digest)\n"
        "print(digest)\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(store), str(go)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    while len(list(store.glob("*/ready"))) < 4:
        assert all(run.poll() is None for run in runs)
    go.touch()
    digests = {run.communicate(timeout=60)[0].strip() for run in runs}
    assert [run.returncode for run in runs] == [0] * 4
    (digest,) = digests
    assert is_intact(store, digest)
    assert recall(store, "source") == digest
    assert {path.name for path in store.iterdir()} == {entry(store, digest).name, "sources"}
