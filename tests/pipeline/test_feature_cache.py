"""`graft cache`: what is kept, for people and for machines, and what it deletes."""

import json
import os
import time

import numpy as np
import pytest

from components.embedder.config import StoreSettings, write_settings
from components.embedder.store.namespace import Namespace
from pipeline import cli, feature_cache
from pipeline.code_digest import digest_code


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    """A working folder with 40 vectors of two backbones; one is of older code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(feature_cache.metadata, "version", lambda name: "2.0")
    path = tmp_path / ".graft" / "features"
    for name, code in (("hub:old", "sha256:0"), ("keras:MobileNetV2", digest_code("Vectors"))):
        identity = {"backbone": {"digest": "sha256:1"}, "code": code, "tensorflow": "2.0"}
        space = Namespace(str(path), identity, {"handle": name, "kind": "image"}, 8)
        keys = np.random.default_rng(1).integers(0, 256, (20, 32), np.uint8)
        space.add(keys, np.ones((20, 8), np.float32), np.zeros(20, bool))
        space.flush()
        time.sleep(0.01)
    write_settings(StoreSettings(path=str(path), max_bytes=3000), tmp_path / ".graft")
    return tmp_path


@pytest.fixture
def graft(capsys):
    def run(*arguments):
        code = cli.main(["cache", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_machines_get_all_of_it(workdir, graft):
    code, out, _ = graft("--json")
    content = json.loads(out)
    assert code == 0
    assert content["path"] == str(workdir / ".graft" / "features")
    assert content["vectors"] == 40
    assert content["max_bytes"] == 3000
    assert [(one["handle"], one["vectors"], one["current"]) for one in content["namespaces"]] == [
        ("keras:MobileNetV2", 20, True),
        ("hub:old", 20, False),
    ]
    assert content["bytes"] == sum(one["bytes"] for one in content["namespaces"])


def test_people_see_a_table_and_how_full_it_is(workdir, graft):
    code, out, _ = graft()
    lines = [line.rstrip() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == str(workdir / ".graft" / "features")
    assert lines[1] == "█" * 27 + "░" * 3 + " 2.7 kB of 3.0 kB, 40 vectors"
    assert [line.split() for line in lines[3:6]] == [
        ["Backbone", "Of", "Vectors", "Floats", "Size", "Last", "used"],
        ["keras:MobileNetV2", "pictures", "20", "8", "1.4", "kB", "just", "now"],
        ["hub:old", "pictures", "20", "8", "1.4", "kB", "just", "now", "outdated"],
    ]
    assert lines[7] == "outdated: made by other code or another TensorFlow than this one"
    assert max(map(len, lines[1:])) <= 80


def test_vectors_of_two_bytes_a_number_are_told_apart(workdir, graft):
    space = Namespace(
        str(workdir / ".graft" / "features"),
        {"backbone": {}},
        {"handle": "keras:MobileNetV2", "kind": "image"},
        1280,
        "float16",
    )
    space.add(np.zeros((1, 32), np.uint8), np.ones((1, 1280), np.float32), np.zeros(1, bool))
    space.flush()
    row = graft()[1].splitlines()[4].split()
    assert row[:7] == ["keras:MobileNetV2", "pictures", "1", "1,280", "float16", "2.7", "kB"]
    assert json.loads(graft("--json")[1])["namespaces"][0]["dtype"] == "float16"


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ((), 40),
        (("--max-gb", "0.000002"), 20),
        (("--older-than", "1h"), 40),
        (("--older-than", "0m"), 0),
        (("--all",), 0),
    ],
)
def test_pruning_leaves_what_was_asked_for(workdir, graft, options, left):
    code, out, _ = graft("--prune", "--json", *options)
    content = json.loads(out)
    assert code == 0
    assert content["vectors"] == left
    assert content["deleted"]["files"] == (40 - left) // 20


def test_an_empty_store_is_said(workdir, graft):
    code, out, _ = graft("--prune", "--all")
    assert code == 0
    where = workdir / ".graft" / "features"
    assert out == f"Deleted 2 files, 2.7 kB\nNo feature vectors are kept in {where}\n"
    assert graft("--prune")[1].startswith("There was nothing to delete\nNo feature vectors")


@pytest.mark.parametrize("place", [".", ".graft", ".graft/features"])
def test_the_store_is_found_from_wherever_one_points_at_it(workdir, graft, place):
    assert json.loads(graft(place, "--json")[1])["vectors"] == 40


def test_a_config_says_where_its_vectors_are_kept(workdir, graft):
    (workdir / "g.yaml").write_text(
        "name: g\ndata: {source: {kind: image_folder, path: pictures}}\n"
        "features: {image: {kind: image, backbone: keras:MobileNetV2}}\n"
        "cache: {features: .graft/features, max_gb: 2}\n"
    )
    content = json.loads(graft("g.yaml", "--json")[1])
    assert (content["vectors"], content["max_bytes"]) == (40, 2 * 10**9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no.yaml"], "There is no such config and no such folder\n  Received: 'no.yaml'"),
        (["other"], "The folder holds no feature vectors and is no working folder\n"),
        (
            ["--prune", "--older-than", "30"],
            "--older-than takes a number of minutes, hours, days or weeks\n"
            "  Received: '30'\n  Valid: 45m, 12h, 30d, 4w\n",
        ),
        (["--all"], "--max-gb, --older-than and --all say what --prune deletes: add it"),
        (["--prune", "--all", "--max-gb", "1"], "--all excludes --max-gb and --older-than"),
        (["--prune", "--max-gb", "-1"], "Invalid value for '--max-gb': -1.0 is not in the range"),
        (["--prune", "--max-gb", "much"], "Invalid value for '--max-gb': 'much' is not a valid"),
    ],
)
def test_mistakes_are_explained(workdir, graft, arguments, said):
    (workdir / "other").mkdir()
    (workdir / "other" / "file").write_text("")
    code, out, err = graft(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"graft: {said}")


def test_what_cannot_be_deleted_is_said(workdir, graft, monkeypatch):
    def refuse(root, max_bytes, older_than_seconds):
        raise PermissionError(13, "Permission denied", root)

    monkeypatch.setattr(feature_cache, "prune", refuse)
    code, _, err = graft("--prune")
    assert code == 2
    assert err.startswith("graft: The feature store cannot be pruned: [Errno 13] Permission denied")


def test_what_another_clock_says_is_yet_to_come_was_used_just_now(workdir, graft):
    for path in workdir.glob(".graft/features/*/*.vectors"):
        os.utime(path, (time.time() + 90,) * 2)
    assert graft()[1].count("just now") == 2


def test_a_store_that_cannot_be_read_is_said(workdir, graft, monkeypatch):
    def refuse(root):
        raise PermissionError(13, "Permission denied", root)

    monkeypatch.setattr(feature_cache, "read_usage", refuse)
    code, out, err = graft()
    assert (code, out) == (2, "")
    assert err.startswith("graft: The feature store cannot be read: [Errno 13] Permission denied")
