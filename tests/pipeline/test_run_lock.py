"""One run at a time in a working folder, and nobody has to clean up after a dead one."""

import fcntl
import json
import os
import socket
import subprocess
import sys

import pytest

from pipeline.run_lock import LOCK, only_run
from preprocessing.errors import UsageError

HOLD = """
import sys, time
from pipeline.run_lock import only_run
with only_run(sys.argv[1], "first"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that is in the folder until it is killed."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_refused_and_told_who_is_in_the_folder(tmp_path, holder):
    with pytest.raises(UsageError) as error, only_run(tmp_path, "second"):
        pass
    assert str(error.value) == (
        "Another run is going on in this working folder\n"
        f"  Received: '{tmp_path}'\n"
        f"  It is run first, process {holder.pid} on {socket.gethostname()}.\n"
        "  Wait for it or stop it, or give this one a folder of its own: --set local_workdir=..."
    )


def test_a_killed_run_lets_the_next_one_in(tmp_path, holder):
    holder.kill()
    holder.wait()
    with only_run(tmp_path, "second"):
        assert json.loads((tmp_path / LOCK).read_text())["run_id"] == "second"


def test_runs_follow_on_each_other_in_one_process(tmp_path):
    for run_id in ("first, whose id is long", "second"):
        with only_run(tmp_path, run_id):
            holder = json.loads((tmp_path / LOCK).read_text())
            assert (holder["run_id"], holder["pid"]) == (run_id, os.getpid())


def test_a_run_that_has_just_begun_has_no_name_yet(tmp_path):
    with (tmp_path / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        beginning = pytest.raises(UsageError, match="It is a run that is just beginning")
        with beginning, only_run(tmp_path, "second"):
            pass


def test_a_failing_run_lets_go(tmp_path):
    with pytest.raises(ValueError, match="no"), only_run(tmp_path, "first"):
        raise ValueError("no")
    with only_run(tmp_path, "second"):
        pass


def test_a_lock_that_may_not_be_written_is_no_defect(tmp_path):
    (tmp_path / LOCK).mkdir()
    with pytest.raises(UsageError) as error, only_run(tmp_path, "first"):
        pass
    assert str(error.value) == (
        f"The working folder cannot be locked: Is a directory\n  Received: '{tmp_path / LOCK}'"
    )
