"""What deploy/ starts is stopped by its pid, and nothing else is."""

import json
import os
import socket
import sys
import time

import pytest

from deploy import processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    processes.stop_all(tmp_path)


def test_a_process_is_started_once_and_stopped(folder):
    pid = processes.start(folder, "one", SLEEP)
    assert processes.start(folder, "one", SLEEP) == pid
    assert processes.pid_of(folder, "one") == pid
    assert processes.stop_all(folder) == ["one"]
    # Its own group, all of it; we are its parent, who alone sees it still.
    assert os.waitpid(pid, 0)[0] == pid
    assert list(folder.glob("*.pid")) == []


def test_a_process_that_has_the_number_of_an_earlier_one_is_left_alone(folder):
    (folder / "one.pid").write_text(json.dumps([os.getpid(), "1"]))
    assert processes.pid_of(folder, "one") is None
    processes.stop(folder, "one")
    assert list(folder.glob("*.pid")) == []


def test_a_process_that_ends_at_once_is_told_of_with_its_log(folder, capsys):
    processes.start(folder, "one", [sys.executable, "-c", "raise SystemExit('no memory')"])
    began = time.monotonic()
    with pytest.raises(SystemExit) as caught:
        processes.wait_for_port(folder, "one", 1, seconds=60)
    assert caught.value.code == 2
    assert time.monotonic() - began < 50
    assert capsys.readouterr().err == "one does not listen on port 1:\nno memory\n\n"


def test_a_port_that_is_taken_is_named_with_the_option_to_choose_another(capsys):
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(SystemExit):
        processes.check_free({"--job-port": server.getsockname()[1]})
    assert capsys.readouterr().err.endswith("is taken; choose another by --job-port\n")


def test_a_process_that_does_not_become_ready_is_stopped_with_the_others(folder, capsys):
    pids = [processes.start(folder, name, SLEEP) for name in ("one", "two")]
    with pytest.raises(SystemExit):
        processes.wait_until(folder, "two", lambda: False, "joins nobody", seconds=1)
    assert capsys.readouterr().err == "two joins nobody:\n\n"
    assert [processes.stat_of(pid) for pid in pids] == [None, None]
