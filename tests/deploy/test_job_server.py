"""The job servers of deploy/ are started once, on loopback, and take away nothing of others'."""

import sys
import time

import pytest

from deploy import job_server, processes
from deploy.job_server import fetch_jars, make_parser, on_loopback

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "flink"
    processes.stop_all(tmp_path / "flink")


@pytest.fixture
def call(folder, monkeypatch, capsys):
    """Calls a script as the command line does; it starts something that sleeps."""
    monkeypatch.setattr(job_server, "fetch_jars", lambda pom, target: None)

    def start(options):
        processes.start(folder, job_server.NAME, SLEEP)
        return "  parallelism: 2\n"

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["flink", *arguments, "--folder", str(folder)])
        job_server.main(make_parser("Flink", "flink", 8099), start)
        return capsys.readouterr()

    return call


SECTION = "beam:\n  kind: flink\n  job_endpoint: localhost:9000\n  parallelism: 2\n"


def test_the_section_to_use_is_said_when_it_starts_and_when_it_is_up(call, folder):
    said = call("start", "--job-port", "9000")
    assert (said.out, said.err) == (SECTION, "")
    pid = processes.pid_of(folder, job_server.NAME)
    # As it was started, whatever is asked for now.
    said = call("start")
    assert (said.out, said.err) == (SECTION, "up already; to start it otherwise, stop it first\n")
    assert processes.pid_of(folder, job_server.NAME) == pid
    assert call("status").err.startswith(f"job-server: pid {pid}, ")
    assert call("stop").err == "stopped: job-server\n"
    assert call("stop").err == "stopped: nothing\n"


def test_what_is_left_of_a_start_that_came_to_no_end_is_stopped_first(call, folder):
    left = processes.start(folder, "job-manager", SLEEP)
    assert call("start", "--job-port", "9000").err == "stopped what was left: job-manager\n"
    assert processes.stat_of(left) is None


def test_without_java_or_maven_it_says_how_to_get_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit):
        fetch_jars(tmp_path / "pom.xml", tmp_path / "jars")
    assert capsys.readouterr().err == (
        "java is not on PATH; on Debian: apt-get install openjdk-17-jdk-headless maven\n"
    )


@pytest.fixture
def maven(tmp_path, monkeypatch):
    """A Maven that makes one jar, or fails where `fail` is beside it; and a pom."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "java").write_text("#!/bin/sh\n")
    (tools / "mvn").write_text(
        f"#!/bin/sh\n[ -e {tools}/fail ] && echo no route && exit 1\n"
        'for one in "$@"; do folder=${one#-DoutputDirectory=}; done\n'
        'mkdir -p "$folder" && echo jar > "$folder/a.jar"\n'
    )
    for tool in ("java", "mvn"):
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    (tmp_path / "pom.xml").write_text("<project/>")
    return tools


def test_jars_are_fetched_once_for_each_pom(maven, tmp_path, capsys):
    pom, jars = tmp_path / "pom.xml", tmp_path / "here" / "jars"
    fetch_jars(pom, jars)
    assert capsys.readouterr().err == f"fetching jars into {jars}: about a minute\n"
    assert (jars / "a.jar").read_text() == "jar\n"
    fetch_jars(pom, jars)
    assert capsys.readouterr().err == ""
    pom.write_text("<project>another</project>")
    (jars / "old.jar").write_text("")
    fetch_jars(pom, jars)
    assert sorted(one.name for one in jars.iterdir()) == [".fetched", "a.jar"]


def test_a_folder_that_holds_something_else_is_left_alone(maven, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(SystemExit):
        fetch_jars(tmp_path / "pom.xml", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert capsys.readouterr().err == (
        f"{tmp_path}/mine holds something else; empty it, or choose another by --jars\n"
    )


def test_jars_that_cannot_be_fetched_are_told_of_and_the_next_time_fetched(maven, tmp_path, capsys):
    (maven / "fail").write_text("")
    with pytest.raises(SystemExit):
        fetch_jars(tmp_path / "pom.xml", tmp_path / "jars")
    assert capsys.readouterr().err.endswith("the jars cannot be fetched:\nno route\n\n")
    (maven / "fail").unlink()
    fetch_jars(tmp_path / "pom.xml", tmp_path / "jars")
    assert (tmp_path / "jars" / "a.jar").is_file()


def test_a_server_for_every_interface_listens_on_loopback(folder):
    code = (
        "import socket, time\n"
        "servers = [socket.create_server(('', 0)),"
        " socket.create_server(('::', 0), family=socket.AF_INET6)]\n"
        "print(*(one.getsockname()[0] for one in servers), flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = on_loopback(folder)
    processes.start(folder, "one", [sys.executable, "-c", code], environment)
    until = time.monotonic() + 60
    while not (said := (folder / "one.log").read_text()) and time.monotonic() < until:
        time.sleep(0.1)
    assert said == "127.0.0.1 ::1\n"


@pytest.mark.parametrize("name", ["my project", "a:b"])
def test_a_folder_from_which_nothing_can_be_loaded_ahead_is_refused(name, tmp_path, capsys):
    """The system's loader would go on without it, and servers would listen on every interface."""
    with pytest.raises(SystemExit):
        on_loopback(tmp_path / name)
    assert capsys.readouterr().err == (
        f"{tmp_path / name} may hold neither a space nor a colon; choose another folder by "
        "--folder\n"
    )


def test_without_a_compiler_it_says_how_to_get_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit):
        on_loopback(tmp_path)
    assert capsys.readouterr().err == ("no C compiler is on PATH; on Debian: apt-get install g++\n")
