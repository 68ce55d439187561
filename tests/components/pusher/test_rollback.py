"""Rolling back publishes an older model again; nothing that was published is lost."""

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.pusher.errors import PushError
from components.pusher.files import digest_model
from components.pusher.load_check import Loaded
from components.pusher.local_target import list_versions
from components.pusher.manifest import RolledBack, RunFacts, read_manifest
from components.pusher.publish import Delivery, publish
from components.pusher.rollback import read_history, rollback
from preprocessing.errors import DataError, UsageError
from serving.commands import rollback as command


def unchecked(folder):
    return Loaded(2, 0.5)


@pytest.fixture
def push(make_model, serving):
    """Pushes a model of that content; gives what became of it."""

    def publish_content(content, keep=10, again=False):
        facts = RunFacts(
            name="flowers", run_id=f"run-{content.decode()}", metrics={"eval": {"accuracy": 0.9}}
        )
        delivery = Delivery(str(make_model(content)), {}, facts)
        return publish(delivery, str(serving), keep, unchecked, again)

    return publish_content


@pytest.fixture
def versions(push):
    """Three models, pushed one after the other."""
    return [push(content).version for content in (b"A", b"B", b"C")]


def go_back(serving, to=None):
    return rollback(str(serving), to, unchecked)


def content_of(serving, version):
    return (serving / str(version) / "saved_model.pb").read_bytes()


def test_after_a_rollback_and_another_push_the_one_that_served_before_it_comes_back(
    serving, versions, push
):
    assert content_of(serving, go_back(serving).version) == b"B"
    push(b"D")
    assert content_of(serving, go_back(serving).version) == b"B"
    assert content_of(serving, go_back(serving).version) == b"A"


def test_the_model_before_serves_again_under_a_higher_number(serving, versions):
    newest = go_back(serving).version
    assert newest > versions[-1]
    assert list_versions(serving) == [*versions, newest]
    assert content_of(serving, newest) == b"B"


def test_the_manifest_says_from_where_and_whose_model_it_is(serving, versions):
    manifest = read_manifest(str(serving / str(go_back(serving).version)))
    first, second, third = versions
    assert manifest.rolled_back == RolledBack(from_version=third, to_version=second)
    assert manifest.first_version == second
    assert manifest.run_id == "run-B"
    assert manifest.load_seconds == 0.5
    before = read_manifest(str(serving / str(second)))
    assert manifest.files == before.files
    assert manifest.pushed_at >= before.pushed_at


def test_a_second_rollback_goes_one_model_further_and_a_third_has_nowhere_to_go(serving, versions):
    go_back(serving)
    assert content_of(serving, go_back(serving).version) == b"A"
    newest = list_versions(serving)[-1]
    with pytest.raises(UsageError) as caught:
        go_back(serving)
    assert str(caught.value) == (
        f"There is no model from before {versions[0]} to roll back to\n  Received: {newest}"
    )


def test_a_rollback_can_be_undone(serving, versions):
    go_back(serving)
    forward = go_back(serving, versions[-1])
    assert content_of(serving, forward.version) == b"C"
    assert forward.withdrawn == ()


def test_any_version_can_be_named(serving, versions):
    assert content_of(serving, go_back(serving, versions[0]).version) == b"A"


def test_a_version_that_is_not_there_is_an_error_with_the_closest(serving, versions):
    with pytest.raises(UsageError) as caught:
        go_back(serving, versions[0] - 1)
    assert str(caught.value).startswith(
        f"There is no such version\n"
        f"  Received: {versions[0] - 1}\n"
        f"  Valid: {versions[0]}, {versions[1]}\n"
        "  Did you mean '"
    )


def test_the_version_that_serves_is_nothing_to_roll_back_to(serving, versions):
    with pytest.raises(UsageError) as caught:
        go_back(serving, versions[-1])
    assert str(caught.value) == f"This version serves already\n  Received: {versions[-1]}"


def test_a_folder_without_versions_is_an_error(tmp_path):
    with pytest.raises(UsageError) as caught:
        go_back(tmp_path)
    assert str(caught.value) == (f"There is no version of a model here\n  Received: '{tmp_path}'")


def test_one_version_is_not_what_is_rolled_back(serving, versions):
    with pytest.raises(UsageError) as caught:
        go_back(serving / str(versions[0]))
    assert str(caught.value) == (
        "This is one version; name the folder that holds it\n"
        f"  Received: '{serving}/{versions[0]}'\n"
        f"  See: {serving}"
    )


def test_an_address_without_a_file_system_is_an_error():
    with pytest.raises(UsageError, match="^PATH: TensorFlow has no file system for this address"):
        go_back("gopher://models/flowers")


def test_a_version_whose_bytes_changed_is_not_rolled_back_to(serving, versions):
    (serving / str(versions[1]) / "variables" / "variables.index").write_bytes(b"onion")
    with pytest.raises(PushError) as caught:
        go_back(serving)
    assert str(caught.value) == (
        "The version could not be rolled back to: variables/variables.index of "
        f"{versions[1]} is not what was pushed\n"
        f"  Where: {serving}\n"
        "  What was serving before still is; mend the folder and run again."
    )
    assert list_versions(serving) == versions
    assert sorted(os.listdir(serving)) == [".push.lock", *map(str, versions)]


def test_a_version_that_does_not_load_is_not_rolled_back_to(serving, versions):
    def refuse(folder):
        raise PushError("it does not load")

    with pytest.raises(PushError, match="it does not load"):
        rollback(str(serving), None, refuse)
    assert list_versions(serving) == versions


def test_a_push_that_lands_meanwhile_is_not_rolled_back_from(serving, versions, push):
    def push_meanwhile(folder):
        push(b"D")
        return Loaded(0, 0.0)

    with pytest.raises(PushError) as caught:
        rollback(str(serving), None, push_meanwhile)
    newest = list_versions(serving)[-1]
    assert str(caught.value) == (
        f"Another version was pushed meanwhile: {newest}\n"
        f"  Where: {serving}\n"
        f"  Nothing was rolled back; `graft rollback {serving} --list` shows what there is."
    )
    assert content_of(serving, newest) == b"D"


def test_a_model_that_was_rolled_back_from_is_held_back_until_it_is_rolled_forward_to(
    serving, versions, push
):
    newest = go_back(serving).version
    again = push(b"C")
    assert again.version == newest
    assert not again.new
    assert again.held_back == (
        "this very model was rolled back from; `graft rollback --to` or "
        f"`--set push.again=true` brings it back, and {newest} goes on serving"
    )
    go_back(serving, versions[-1])
    assert push(b"C").held_back is None


def test_a_model_that_was_rolled_back_from_is_held_back_after_any_number_of_others(
    serving, versions, push
):
    go_back(serving)
    for other in (b"D", b"E", b"F"):
        newest = push(other, keep=1).version
    assert list_versions(serving) == [newest]
    assert push(b"C").held_back is not None
    assert list_versions(serving) == [newest]


def test_a_model_that_was_rolled_back_from_is_held_back_where_a_later_manifest_is_damaged(
    serving, versions, push
):
    go_back(serving)
    newest = push(b"D").version
    (serving / str(newest) / "manifest.json").write_text("{")
    assert push(b"C").held_back is not None


def test_a_model_that_was_rolled_back_from_is_pushed_where_the_config_says_so_and_then_as_ever(
    serving, versions, push
):
    go_back(serving)
    assert push(b"C", again=True).new
    push(b"D")
    assert push(b"C").new


def test_a_new_model_is_pushed_after_a_rollback(serving, versions, push):
    newest = go_back(serving).version
    published = push(b"D")
    assert published.new
    assert published.version > newest


def test_the_model_that_was_rolled_back_to_is_not_pushed_again(serving, versions, push):
    newest = go_back(serving).version
    assert push(b"B") == (newest, False, None)


def test_versions_of_another_pusher_can_be_rolled_back_to(make_model, serving, push):
    make_model(b"old", serving / "7")
    push(b"new")
    manifest = go_back(serving)
    assert content_of(serving, manifest.version) == b"old"
    assert manifest.model_digest == digest_model(serving / "7")
    assert manifest.run_id == ""


def test_history_is_read_oldest_first(serving, versions):
    assert [one.version for one in read_history(str(serving))] == versions


@pytest.fixture
def unreadable(serving, versions):
    """Damages the manifest of the version in the middle."""
    (serving / str(versions[1]) / "manifest.json").write_text('{"version": ')
    return versions[1]


def test_a_manifest_that_cannot_be_read_hides_no_other_version(serving, versions, unreadable):
    said = CliRunner().invoke(command.rollback, [str(serving), "--list"])
    lines = said.output.splitlines()
    assert said.exit_code == 0
    assert [line.split()[0] for line in lines[1:]] == [str(one) for one in reversed(versions)]
    assert "manifest.json cannot be understood: Invalid JSON: EOF" in lines[2]
    assert "Received" not in said.output
    listed = CliRunner().invoke(command.rollback, [str(serving), "--list", "--json"]).output
    assert set(json.loads(listed)[1]) == {"version", "unreadable"}


def test_a_version_that_can_be_read_is_rolled_back_to_beside_one_that_cannot(
    serving, versions, unreadable
):
    assert content_of(serving, go_back(serving).version) == b"A"
    assert content_of(serving, go_back(serving, versions[-1]).version) == b"C"


def test_a_version_that_cannot_be_read_is_not_rolled_back_to(serving, versions, unreadable):
    with pytest.raises(DataError) as caught:
        go_back(serving, unreadable)
    assert str(caught.value).startswith(
        "This version cannot be read: manifest.json cannot be understood: Invalid JSON: EOF"
    )
    assert str(caught.value).endswith(f"\n  Received: {unreadable}")
    assert list_versions(serving) == versions


@pytest.mark.parametrize("damage", ["foreign", "folder"])
def test_a_version_that_serves_and_cannot_be_read_is_rolled_back_from(serving, versions, damage):
    manifest = serving / str(versions[-1]) / "manifest.json"
    manifest.unlink()
    if damage == "folder":
        manifest.mkdir()
    else:
        manifest.write_text('{"name": "a web app", "icons": []}')
    back = go_back(serving)
    assert content_of(serving, back.version) == b"B"
    assert back.rolled_back == RolledBack(from_version=versions[-1], to_version=versions[1])


def test_what_was_rolled_back_from_is_remembered_over_a_version_that_cannot_be_read(
    serving, versions, push
):
    go_back(serving)
    newest = push(b"D").version
    (serving / str(newest) / "manifest.json").write_text("{")
    back = go_back(serving)
    assert content_of(serving, back.version) == b"B"
    assert push(b"C").held_back is not None
    said = CliRunner().invoke(command.rollback, [str(serving), "--list"]).output
    assert [line.split()[0] for line in said.splitlines() if line.endswith("rolled back from")] == [
        str(versions[-1])
    ]


def test_the_list_says_what_there_is_newest_first(serving, versions, monkeypatch):
    newest = go_back(serving).version
    pushed = {
        one: read_manifest(str(serving / str(one))).pushed_at for one in list_versions(serving)
    }
    said = CliRunner().invoke(command.rollback, [str(serving), "--list"]).output
    times = {one: at[:19].replace("T", " ") for one, at in pushed.items()}
    first, second, third = versions
    assert said == (
        "Version      Pushed (UTC)          Run     Metrics\n"
        f"{newest}   {times[newest]}   run-B   eval accuracy 0.900   "
        f"serves, rolled back from {third} to {second}\n"
        f"{third}   {times[third]}   run-C   eval accuracy 0.900   rolled back from\n"
        f"{second}   {times[second]}   run-B   eval accuracy 0.900\n"
        f"{first}   {times[first]}   run-A   eval accuracy 0.900\n"
    )


def test_the_list_is_there_for_machines(serving, versions):
    said = CliRunner().invoke(command.rollback, [str(serving), "--list", "--json"]).output
    listed = json.loads(said)
    assert [one["version"] for one in listed] == versions
    assert listed[0]["metrics"] == {"eval": {"accuracy": 0.9}}
    assert listed[0]["bytes"] == 6
    assert "files" not in listed[0]


def test_a_list_rolls_nothing_back(serving, versions):
    said = CliRunner().invoke(command.rollback, [str(serving), "--list", "--to", "1"])
    assert "--list and --to exclude each other" in said.output
    assert list_versions(serving) == versions


@pytest.mark.slow
def test_the_command_rolls_back_and_says_how_to_undo_it(colours_model, serving, tmp_path):
    import shutil
    import subprocess

    model = tmp_path / "model"
    shutil.copytree(colours_model, model)
    versions = []
    for content in ("one", "two"):
        (model / "assets.extra" / "notes").write_text(content)
        versions.append(publish(Delivery(str(model)), str(serving), 3, unchecked).version)
    graft = str(Path(sys.executable).parent / "graft")
    done = subprocess.run([graft, "rollback", str(serving)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    newest = list_versions(serving)[-1]
    manifest = read_manifest(str(serving / str(newest)))
    assert newest > versions[-1]
    assert done.stdout == (
        f"{newest} serves: the model of {versions[0]} again, instead of {versions[1]}\n"
        f"  Model       of an unknown run, {len(manifest.files)} files, "
        f"{manifest.bytes / 1e6:.1f} MB\n"
        "  Metrics     -\n"
        f"  Undo it     graft rollback {serving} --to {versions[1]}\n"
    )
    none = subprocess.run([graft, "rollback", str(tmp_path)], capture_output=True, text=True)
    assert none.returncode == 2
    assert none.stderr == (
        f"graft: There is no version of a model here\n  Received: '{tmp_path}'\n"
    )
