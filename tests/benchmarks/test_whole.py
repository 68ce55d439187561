"""The whole benchmark as `make bench-speed` runs it, on very little."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.speed.jobs import CONTENDERS

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.long]

ROOT = Path(__file__).parents[2]
OPTIONS = ["--sizes", "60", "--epochs", "2"]


def bench(folder, *options):
    command = [sys.executable, "-m", "benchmarks.speed", "--folder", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    done = bench(folder, *OPTIONS)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def rows(folder):
    content = json.loads((folder / "results.json").read_text())
    assert content["failed"] == []
    return {row["contender"]: row for row in content["runs"]}


def test_every_contender_ran_once(rows):
    assert rows.keys() == {one.name for one in CONTENDERS if one.data != "texts"}
    assert {row["repeats"] for row in rows.values()} == {1}


def test_whole_processes_are_measured(rows):
    for name in ("graft-cold", "keras", "stock"):
        assert rows[name]["wall_s"][0] > 5
        assert rows[name]["cpu_s"][0] > 5
        assert rows[name]["peak_mb"][0] > 300
        assert rows[name]["left_mb"][0] > 1


def test_graft_and_stock_tfx_end_with_a_pushed_model(folder, rows):
    runs = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    pushed = {run["job"]["contender"]: run["details"].get("pushed") for run in runs}
    assert pushed["stock"] == 1
    assert pushed["graft-cold"]


def test_nothing_is_run_again_that_is_done(folder, rows):
    done = bench(folder, *OPTIONS, "--resume")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0 runs, about 0 minutes")


def test_the_picture_is_there(folder, rows):
    assert (folder / "speed.svg").stat().st_size > 1000
