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


def test_without_java_or_maven_it_says_how_to_get_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit):
        processes.fetch_jars(tmp_path / "pom.xml", tmp_path / "jars")
    assert capsys.readouterr().err == (
        "java is not on PATH; on Debian: apt-get install openjdk-17-jdk-headless maven\n"
    )


def test_a_server_for_every_interface_listens_on_loopback(folder):
    code = (
        "import socket, time\n"
        "servers = [socket.create_server(('', 0)),"
        " socket.create_server(('::', 0), family=socket.AF_INET6)]\n"
        "print(*(one.getsockname()[0] for one in servers), flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = processes.on_loopback(folder)
    processes.start(folder, "one", [sys.executable, "-c", code], environment)
    until = time.monotonic() + 60
    while not (said := (folder / "one.log").read_text()) and time.monotonic() < until:
        time.sleep(0.1)
    assert said == "127.0.0.1 ::1\n"
