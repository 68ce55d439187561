"""Publishing: whole versions only, always increasing, nothing lost on failure."""

import datetime
import json
import os
import time

import pytest

from components.pusher.errors import PushError
from components.pusher.files import digest_model, hash_file
from components.pusher.load_check import Loaded
from components.pusher.local_target import list_versions
from components.pusher.manifest import DataSpan, RunFacts, read_manifest
from components.pusher.publish import Delivery, Published, publish

FACTS = RunFacts(
    name="flowers",
    run_id="20260901-100000",
    config_digest="sha256:c0ffee",
    backbones={"image": "sha256:beef"},
    metrics={"eval": {"accuracy": 0.9}},
    data=DataSpan(span=3, fingerprint="f00d", examples={"train": 80, "eval": 10}),
)


def unchecked(folder):
    """For models of a few bytes, which nobody loads."""
    return Loaded(0, 0.0)


def push(model, serving, keep=3, extras=None, facts=FACTS):
    return publish(Delivery(str(model), extras or {}, facts), str(serving), keep, unchecked)


@pytest.fixture
def model(make_model):
    return make_model(b"first")


def test_a_published_version_holds_the_model_byte_by_byte(model, serving):
    version = push(model, serving).version
    (serving / str(version) / "manifest.json").unlink()
    assert digest_model(serving / str(version)) == digest_model(model)
    assert abs(version - time.time()) < 60
    assert list_versions(serving) == [version]


def test_only_the_version_and_the_lock_are_left(model, serving):
    version = push(model, serving).version
    assert sorted(os.listdir(serving)) == [".push.lock", str(version)]


def test_the_manifest_says_where_the_model_comes_from_and_what_is_in_every_file(model, serving):
    version = push(model, serving).version
    manifest = read_manifest(str(serving / str(version)))
    assert RunFacts(**{name: getattr(manifest, name) for name in RunFacts.model_fields}) == FACTS
    assert manifest.version == manifest.first_version == version
    assert manifest.model_digest == digest_model(model)
    assert manifest.files == {
        name: hash_file(str(model / name))
        for name in ("saved_model.pb", "variables/variables.index")
    }
    assert manifest.bytes == len(b"first") + len(b"index")
    pushed_at = datetime.datetime.fromisoformat(manifest.pushed_at)
    assert abs(pushed_at.timestamp() - time.time()) < 60


def test_what_comes_along_with_the_model_is_in_the_version_and_the_manifest(
    model, serving, tmp_path
):
    card = tmp_path / "card.md"
    card.write_text("# A card")
    extras = {"model_card.md": str(card), "exports/tflite/model.tflite": str(card)}
    version = push(model, serving, extras=extras).version
    assert (serving / str(version) / "model_card.md").read_text() == "# A card"
    manifest = read_manifest(str(serving / str(version)))
    assert manifest.files["exports/tflite/model.tflite"].bytes == 8
    assert manifest.model_digest == digest_model(model)


def test_an_equal_model_is_not_published_again(model, serving):
    first = push(model, serving)
    assert push(model, serving) == Published(first.version, new=False)
    assert list_versions(serving) == [first.version]


def test_an_equal_model_with_another_card_is_not_published_again(model, serving, tmp_path):
    card = tmp_path / "card.md"
    versions = []
    for text in ("one", "two"):
        card.write_text(text)
        versions.append(push(model, serving, extras={"model_card.md": str(card)}).version)
    assert versions[0] == versions[1]


def test_an_equal_model_with_other_exports_is_published_again(model, serving, tmp_path):
    export = tmp_path / "model.tflite"
    export.write_text("one")
    first = push(model, serving, extras={})
    second = push(model, serving, extras={"exports/tflite/model.tflite": str(export)})
    assert second == Published(second.version, new=True)
    assert second.version > first.version


def test_warmup_requests_are_withdrawn_by_a_version_without_them(model, serving, tmp_path):
    requests = tmp_path / "requests"
    requests.write_bytes(b"pictures of people")
    place = "assets.extra/tf_serving_warmup_requests"
    first = push(model, serving, extras={place: str(requests)}).version
    second = push(model, serving, extras={})
    assert second.new
    assert not (serving / str(second.version) / place).exists()
    assert (serving / str(first) / place).exists()
    assert push(model, serving, extras={}) == Published(second.version, new=False)
    assert push(model, serving, extras={place: str(requests)}).new


def test_how_long_exports_took_makes_no_version(model, serving, tmp_path):
    report = tmp_path / "report.json"
    versions = set()
    for text in ("1 ms", "2 ms"):
        report.write_text(text)
        versions.add(push(model, serving, extras={"exports/report.json": str(report)}).version)
    assert len(versions) == 1


def test_an_equal_model_is_published_again_where_the_newest_version_is_damaged(model, serving):
    first = push(model, serving).version
    (serving / str(first) / "variables" / "variables.index").write_bytes(b"onion")
    second = push(model, serving)
    assert second.new
    assert list_versions(serving) == [first, second.version]


def test_an_equal_model_is_published_again_where_the_manifest_is_damaged(model, serving):
    first = push(model, serving).version
    (serving / str(first) / "manifest.json").write_text("{")
    assert push(model, serving).new


def test_a_version_from_before_there_were_manifests_counts_as_what_it_holds(
    make_model, model, serving
):
    make_model(b"first", serving / "7")
    assert push(model, serving) == Published(7, new=False)


def test_versions_increase_even_when_the_clock_is_behind(make_model, model, serving):
    ahead = int(time.time()) + 1000
    make_model(b"older", serving / str(ahead))
    assert push(model, serving).version == ahead + 1


def test_a_number_is_never_given_twice_even_when_its_version_is_gone(make_model, model, serving):
    ahead = int(time.time()) + 1000
    make_model(b"older", serving / str(ahead))
    version = push(model, serving).version
    for old in (ahead, version):
        os.rename(serving / str(old), serving / f"gone-{old}")
    assert push(model, serving).version == version + 1


def test_a_number_too_large_for_a_server_is_overlooked(make_model, model, serving):
    make_model(b"older", serving / str(2**63))
    assert abs(push(model, serving).version - time.time()) < 60


@pytest.mark.parametrize("content", ["", "many", "9" * 32])
def test_a_damaged_memory_of_numbers_is_made_anew(model, serving, content):
    serving.mkdir()
    (serving / ".push.lock").write_text(content)
    version = push(model, serving).version
    assert (serving / ".push.lock").read_text()[:21] == f"{version:020d}\n"


def test_the_oldest_versions_beyond_keep_are_removed(make_model, tmp_path, serving):
    versions = [
        push(make_model(content), serving, keep=2).version for content in (b"one", b"two", b"three")
    ]
    assert list_versions(serving) == versions[1:]
    assert sorted(os.listdir(serving)) == [".push.lock", *map(str, versions[1:])]


def test_other_folders_are_no_versions_and_stay(make_model, model, serving):
    make_model(b"mine", serving / "notes")
    version = push(model, serving, keep=1).version
    assert list_versions(serving) == [version]
    assert (serving / "notes" / "saved_model.pb").exists()


def test_a_numbered_folder_without_a_model_is_somebodys_own_and_stays(model, serving):
    (serving / "7").mkdir(parents=True)
    (serving / "7" / "digit.png").write_bytes(b"mine")
    version = push(model, serving, keep=1).version
    assert list_versions(serving) == [version]
    assert (serving / "7" / "digit.png").read_bytes() == b"mine"


def test_fewer_versions_are_kept_at_once_even_when_the_model_is_there_already(
    make_model, tmp_path, serving
):
    for content in (b"one", b"two"):
        newest = push(make_model(content), serving, keep=2).version
    assert push(tmp_path / "model", serving, keep=1).version == newest
    assert list_versions(serving) == [newest]


def test_a_path_that_is_a_file_is_refused_with_what_to_do(model, serving):
    serving.write_text("in the way")
    with pytest.raises(PushError) as caught:
        push(model, serving)
    assert str(caught.value) == (
        f"The model could not be pushed: [Errno 17] File exists: '{serving}'\n"
        f"  Where: {serving}\n"
        "  What was serving before still is; mend the folder and run again."
    )


def test_a_manifest_is_plain_json(model, serving):
    version = push(model, serving).version
    content = json.loads((serving / str(version) / "manifest.json").read_text())
    assert content["run_id"] == "20260901-100000"
    assert content["files"]["saved_model.pb"]["bytes"] == 5
