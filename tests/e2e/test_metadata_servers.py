"""The demo with its metadata in a MariaDB and in a PostgreSQL: killed, resumed, run again."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.demo import write_demo
from tests import database_servers

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PICTURES_PER_CLASS = 20
ARGUMENTS = ["digits.yaml", "--set", "evaluate.thresholds.accuracy.min=0.5", "--json"]
# Not from the cache: what looks at the world outside, and what compares with the last model.
AGAIN = {"Backbones", "Baseline", "Evaluator", "ModelCard", "Pusher"}


@pytest.fixture(scope="module", params=["mysql", "postgresql"])
def folder(request, tmp_path_factory):
    """A small demo whose config names a server of this kind, with its user in the environment."""
    with contextlib.ExitStack() as stack:
        port, _ = database_servers.start(request.param, stack)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DEMO_USER", database_servers.USER)
        patch.setenv("DEMO_PASSWORD", database_servers.PASSWORD)
        folder = tmp_path_factory.mktemp(request.param)
        write_demo(folder)
        for one in (folder / "pictures").iterdir():
            for picture in sorted(one.iterdir())[PICTURES_PER_CLASS:]:
                picture.unlink()
        with (folder / "digits.yaml").open("a") as config:
            config.write(
                f"metadata: {{kind: {request.param}, host: 127.0.0.1, port: {port}, "
                f"database: {database_servers.NAME}, user_variable: DEMO_USER, "
                "password_variable: DEMO_PASSWORD}\n"
            )
        yield folder


@pytest.fixture(scope="module")
def killed(folder):
    """The folder after a run that was killed as soon as it was in the Trainer."""
    command = [str(Path(sys.executable).with_name("graft")), "run", *ARGUMENTS]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        lines = []
        for line in run.stderr:
            lines.append(line)
            if line.startswith("Trainer: started"):
                break
        run.kill()
    assert lines[-1].startswith("Trainer: started"), "".join(lines)
    return folder


@pytest.fixture(scope="module")
def resumed(graft, killed):
    result = graft("run", *ARGUMENTS, "--resume", cwd=killed)
    assert result.code == 0, result.err
    return result


@pytest.fixture(scope="module")
def again(graft, resumed, folder):
    result = graft("run", *ARGUMENTS, cwd=folder)
    assert result.code == 0, result.err
    return result


def test_a_killed_run_is_gone_on_with(resumed):
    assert re.search(r"resumes run \S+, killed (in|after) the \w+; \d+ components", resumed.err)
    assert resumed.states["Embedder"] == "cached"
    assert resumed.states["Trainer"] == "run"
    assert resumed.summary["pushed"]


def test_a_second_run_does_nothing_again(again, resumed):
    assert {name for name, state in again.states.items() if state == "run"} == AGAIN
    assert again.summary["pushed"]["version"] == resumed.summary["pushed"]["version"]
    assert "the last blessed model's" in again.summary["reasons"][1]


def test_all_three_runs_are_listed_from_the_config(graft, again, folder):
    listed = json.loads(graft("runs", "digits.yaml", "--json", cwd=folder).out)
    assert [one["run_id"] for one in listed][-1] == again.summary["run_id"]
    assert len(listed) == 3


def test_nothing_on_disk_names_the_user_or_the_password(again, folder):
    assert not (folder / ".graft" / "metadata.sqlite").exists()
    secrets = [database_servers.USER.encode(), database_servers.PASSWORD.encode()]
    files = [Path(top, name) for top, _, names in os.walk(folder) for name in names]
    assert Path(again.summary["log"]) in files
    assert [one for one in files if any(text in one.read_bytes() for text in secrets)] == []
    assert not any(text.decode() in again.out + again.err for text in secrets)
