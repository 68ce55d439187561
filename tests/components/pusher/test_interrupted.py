"""A push that is killed, that races, or that finds no room, leaves what was serving alone."""

import json
import os
import subprocess
import time

import pytest

from components.pusher.errors import PushError
from components.pusher.load_check import Loaded
from components.pusher.local_target import list_versions
from components.pusher.manifest import find_damage, read_manifest
from components.pusher.publish import Delivery, publish


def push(model, serving, keep=3):
    return publish(Delivery(str(model)), str(serving), keep, lambda folder: Loaded(0, 0.0)).version


@pytest.fixture
def first(make_model, serving):
    return push(make_model(b"first"), serving)


def assert_only(serving, version):
    """One whole version is there, and nothing of a push."""
    assert list_versions(serving) == [version]
    manifest = read_manifest(str(serving / str(version)))
    assert find_damage(str(serving / str(version)), manifest.files) is None
    assert sorted(os.listdir(serving)) == [".push.lock", str(version)]


def test_a_push_killed_at_any_step_leaves_whole_versions_only_and_the_next_one_cleans_up(
    start, serving, first
):
    killed = start("push_killed_everywhere", serving)
    lines = [json.loads(line) for line in killed.stdout]
    assert killed.wait() == 0
    assert len(lines) > 40
    for _step, _killed, before, after, _hidden in lines:
        assert set(after.values()) == {None}
        # The newest is still there, or there is one above it.
        assert max(map(int, after)) >= max(before)
        assert [one for one in map(int, after) if one not in before and one <= max(before)] == []
    ends = [ended for _step, ended, *_rest in lines]
    assert ends == [True] * (len(ends) - 1) + [False]
    # Kills came before, while and after names changed.
    left = {name.split("-")[0] for *_rest, hidden in lines for name in hidden}
    assert left == {".push.lock", ".staging", ".deleted"}
    assert lines[-1][-1] == [".push.lock"]


def test_pushes_that_race_all_land_under_numbers_of_their_own_that_increase(start, serving):
    pushers = [start("push_many", serving, 100, 10) for _ in range(4)]
    for pusher in pushers:
        assert pusher.stdout.readline() == "go\n"
    for pusher in pushers:
        pusher.stdin.write("\n")
        pusher.stdin.flush()
    versions = [[int(line) for line in pusher.stdout] for pusher in pushers]
    for each in versions:
        assert each == sorted(set(each))
    assert list_versions(serving) == sorted(one for each in versions for one in each)
    assert len(list_versions(serving)) == 40
    assert sorted(os.listdir(serving))[0] == ".push.lock"
    assert not any(name.startswith(".staging") for name in os.listdir(serving))


def test_a_push_leaves_another_that_is_in_progress_alone(start, make_model, serving, tmp_path):
    large = make_model(b"large", tmp_path / "large")
    for number in range(200):
        (large / f"part-{number}").write_bytes(b"0" * 200_000)
    slow = start("push", large, serving, 3)
    slow.stdout.readline()
    while not (serving.is_dir() and any(n.startswith(".staging-") for n in os.listdir(serving))):
        assert slow.poll() is None, "the push ended before another could begin"
    quick = push(make_model(b"quick"), serving)
    assert slow.stdout.readline() == f"{list_versions(serving)[-1]}\n"
    assert len(list_versions(serving)) == 2
    assert quick in list_versions(serving)


def test_a_push_waits_for_one_that_is_changing_names(start, make_model, serving, first):
    import fcntl

    with open(serving / ".push.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = start("push", make_model(b"second"), serving, 3)
        assert waiting.stdout.readline() == "go\n"
        time.sleep(0.5)
        assert list_versions(serving) == [first]
    assert int(waiting.stdout.readline()) > first


def test_a_lock_that_is_never_let_go_of_is_an_error_that_says_so(
    make_model, serving, first, monkeypatch
):
    import fcntl

    monkeypatch.setattr("components.pusher.local_target.LOCK_SECONDS", 0.1)
    with open(serving / ".push.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PushError) as caught:
            push(make_model(b"second"), serving)
    assert str(caught.value) == (
        "The model could not be pushed: Another push has held .push.lock for 0 s\n"
        f"  Where: {serving}\n"
        "  What was serving before still is; mend the folder and run again."
    )
    assert_only(serving, first)


def test_a_file_that_may_not_grow_ends_a_push_before_anything_is_seen(
    start, make_model, serving, first
):
    model = make_model(b"0" * 100_000)
    said = start("push_limited", model, serving, 50_000).communicate()[0]
    assert said == (
        "PushError: The model could not be pushed: [Errno 27] File too large\n"
        f"  Where: {serving}\n"
        "  What was serving before still is; mend the folder and run again.\n"
    )
    assert_only(serving, first)


def mount(*arguments):
    """Mounts for one test; skips where this process may not."""
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this process may not mount: {done.stderr.strip()}")


@pytest.fixture
def small_disk(serving):
    """A disk of 1 MB at the serving folder."""
    serving.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", serving)
    yield serving
    subprocess.run(["umount", str(serving)], check=True)


def test_a_full_disk_ends_a_push_before_anything_is_seen(make_model, small_disk):
    first = push(make_model(b"0" * 400_000), small_disk)
    with pytest.raises(PushError) as caught:
        push(make_model(b"1" * 900_000), small_disk)
    assert str(caught.value) == (
        "The model could not be pushed: [Errno 28] No space left on device\n"
        f"  Where: {small_disk}\n"
        "  What was serving before still is; mend the folder and run again."
    )
    assert_only(small_disk, first)
    assert push(make_model(b"2" * 400_000), small_disk, keep=1) > first


@pytest.fixture
def read_only(serving, first):
    """The serving folder, which cannot be written to."""
    mount("--bind", serving, serving)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(serving)], check=True)
    yield serving
    subprocess.run(["umount", str(serving)], check=True)


def test_a_read_only_target_is_left_as_it_is(make_model, read_only, first):
    with pytest.raises(PushError) as caught:
        push(make_model(b"second"), read_only)
    assert str(caught.value) == (
        f"The model could not be pushed: [Errno 30] Read-only file system: "
        f"'{read_only}/.push.lock'\n"
        f"  Where: {read_only}\n"
        "  What was serving before still is; mend the folder and run again."
    )
    assert_only(read_only, first)


def test_a_target_that_may_not_be_written_to_is_left_as_it_is(
    start, make_model, serving, first, tmp_path
):
    make_model(b"second")
    # For whoever is not root; root becomes somebody else.
    (serving / ".push.lock").chmod(0o444)
    tmp_path.chmod(0o755)
    said = start("push_as_nobody", tmp_path).communicate()[0]
    assert said == (
        "PushError: The model could not be pushed: [Errno 13] Permission denied: "
        "'serving/.push.lock'\n"
        "  Where: serving\n"
        "  What was serving before still is; mend the folder and run again.\n"
    )
    assert_only(serving, first)
