"""Which program serves, why, and how it is started.

TensorFlow Serving itself cannot be had on the machines that test this: small
programs that record their arguments stand for it and for Docker, so only the
choice and the command are tested, not what they do with it.
"""

import os
import subprocess
import sys

import pytest

from pipeline.cli import main
from preprocessing.errors import UsageError
from serving.engines import (
    Choice,
    Serving,
    check_host,
    choose_engine,
    docker_command,
    server_command,
)
from tests.serving.conftest import ROOT, START


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Puts a program on a PATH that has nothing else but a shell's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat"):
        (folder / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))

    def put_program(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return put_program


DOCKER = """case "$1" in
info) echo 27.1 ;;
image) {image} ;;
esac"""


def test_tensorflow_model_server_comes_first(put):
    put("docker", DOCKER.format(image="echo sha256:1"))
    found = put("tensorflow_model_server", "exit 0")
    assert choose_engine() == Choice("tensorflow_model_server", f"found at {found}")


def test_docker_comes_next_where_its_daemon_answers(put):
    put("docker", DOCKER.format(image="echo sha256:1"))
    assert choose_engine() == Choice("docker", "docker 27.1 answers")


def test_that_docker_fetches_an_image_is_said(put):
    put("docker", DOCKER.format(image="exit 1"))
    assert choose_engine() == Choice(
        "docker", "docker 27.1 answers, and fetches the image tensorflow/serving now"
    )


def test_docker_without_a_daemon_is_passed_over_with_the_reason(put):
    put("docker", "echo Cannot connect to the Docker daemon >&2; exit 1")
    assert choose_engine() == Choice(
        "local",
        "tensorflow_model_server is not on PATH; docker is on PATH, but its daemon does not answer",
    )


def test_where_neither_is_our_own_server_serves(put):
    assert choose_engine() == Choice(
        "local", "tensorflow_model_server is not on PATH; docker is not on PATH"
    )


def test_an_engine_can_be_asked_for(put):
    put("tensorflow_model_server", "exit 0")
    put("docker", DOCKER.format(image="echo sha256:1"))
    assert choose_engine("local") == Choice("local", "asked for")
    assert choose_engine("docker").engine == "docker"


@pytest.mark.parametrize(
    ("engine", "why", "others"),
    [
        (
            "tensorflow_model_server",
            "tensorflow_model_server is not on PATH",
            "docker, local",
        ),
        ("docker", "docker is not on PATH", "tensorflow_model_server, local"),
    ],
)
def test_an_engine_that_is_asked_for_and_not_there_is_a_mistake(put, engine, why, others):
    with pytest.raises(UsageError) as refused:
        choose_engine(engine)
    assert str(refused.value) == (
        f"This engine is not there: {why}\n  Received: '{engine}'\n  Valid: {others}"
    )


WHAT = Serving("/models here/flowers", "flowers", "127.0.0.1", 8001, 8000, 1.5)


def test_tensorflow_model_server_is_told_name_folder_and_ports():
    assert server_command(WHAT) == [
        "tensorflow_model_server",
        "--port=8000",
        "--rest_api_port=8001",
        "--rest_api_timeout_in_ms=1500",
        "--model_name=flowers",
        "--model_base_path=/models here/flowers",
        "--file_system_poll_wait_seconds=1",
    ]


@pytest.mark.parametrize(
    ("host", "published"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "[::1]")]
)
def test_the_container_sees_the_folder_and_is_seen_on_the_host_only(host, published):
    assert docker_command(WHAT._replace(host=host)) == [
        *("docker", "run", "--rm", "--init"),
        *("--publish", f"{published}:8000:8500"),
        *("--publish", f"{published}:8001:8501"),
        "--mount",
        "type=bind,source=/models here/flowers,target=/models/flowers,readonly",
        *("--entrypoint", "tensorflow_model_server", "tensorflow/serving"),
        "--port=8500",
        "--rest_api_port=8501",
        "--rest_api_timeout_in_ms=1500",
        "--model_name=flowers",
        "--model_base_path=/models/flowers",
        "--file_system_poll_wait_seconds=1",
    ]


@pytest.mark.parametrize(("asked", "told"), [(0.01, 1), (1, 1), (2.5, 3), (60, 60)])
def test_tensorflow_serving_looks_for_versions_as_often_as_whole_seconds_allow(asked, told):
    what = WHAT._replace(poll_seconds=asked)
    for command in (server_command(what), docker_command(what)):
        assert command[-1] == f"--file_system_poll_wait_seconds={told}"


@pytest.fixture
def versions(tmp_path):
    """A folder of versions, as far as `graft serve` looks before it starts something."""
    (tmp_path / "colours" / "1").mkdir(parents=True)
    (tmp_path / "colours" / "1" / "saved_model.pb").write_bytes(b"")
    return tmp_path / "colours"


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "::"])
def test_a_host_that_tensorflow_model_server_cannot_keep_to_is_refused(put, versions, capsys, host):
    put("tensorflow_model_server", "exit 0")
    assert main(["serve", str(versions), "--host", host]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(
        "graft: --host: tensorflow_model_server listens on every interface, "
        "and has no option for one\n"
        f"  Received: '{host}'\n"
        "  Valid: 0.0.0.0\n"
    )
    assert said.err.endswith("  See: --engine docker or local\n")


def test_other_engines_take_any_host():
    check_host("127.0.0.1", "docker")
    check_host("127.0.0.1", "local")
    check_host("0.0.0.0", "tensorflow_model_server")


@pytest.mark.slow
def test_the_server_takes_the_place_of_graft_and_gets_its_signals(put, tmp_path, colours):
    """The recorder has the process id that graft had."""
    record = tmp_path / "record"
    put("tensorflow_model_server", f'echo "$$ $@" > {record}\nwhile true; do sleep 1; done')
    (tmp_path / "bin" / "sleep").symlink_to("/bin/sleep")
    options = ["--max-batch", "9", "--poll-seconds", "2.5"]
    command = [sys.executable, "-c", START, "serve", str(colours), *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--rest-port", "1234"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        said = [process.stdout.readline().rstrip() for _ in range(8)]
        while not record.exists() or not record.read_text():
            pass
        process.terminate()
        assert process.wait(30) == -15
    assert record.read_text().split(maxsplit=1) == [
        str(process.pid),
        "--port=8500 --rest_api_port=1234 --rest_api_timeout_in_ms=30000 "
        f"--model_name=colours --model_base_path={colours} --file_system_poll_wait_seconds=3\n",
    ]
    assert said[:4] == [
        f"Serving {colours} as colours",
        f"  Engine  tensorflow_model_server: found at {tmp_path}/bin/tensorflow_model_server",
        "  REST    http://127.0.0.1:1234/v1/models/colours",
        "  gRPC    127.0.0.1:8500",
    ]
    assert said[4].startswith("  Try     curl -d ")
    assert said[5:] == [
        "  Note    it listens on every interface; it has no option for one",
        "  Note    it looks for versions every 3 s",
        "  Note    it does not know --max-batch",
    ]
