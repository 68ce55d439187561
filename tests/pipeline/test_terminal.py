"""While a pipeline runs, the terminal is ours and everything else goes to the log."""

import logging
import os
import pty
import select
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipeline.terminal import CrashError, Session
from preprocessing.errors import DataError
from preprocessing.progress import LOGGER, report

NOISE = """
import logging, os, subprocess, sys
from pathlib import Path
from absl import logging as absl_logging
from pipeline.terminal import Session
from preprocessing.progress import note, report, stage
print("before")
with Session(Path(sys.argv[1]), line_seconds=float(sys.argv[2])):
    print("printed")
    os.write(2, b"from C\\n")
    subprocess.run(["sh", "-c", "echo from a child"])
    logging.getLogger("beam").warning("from logging")
    absl_logging.info("from absl")
    note("resumes run a")
    stage("ExampleGen", "started")
    stage("ExampleGen", "run", 1.25)
    stage("StatisticsGen", "cached", 0.01)
    stage("Embedder", "started")
    for done in range(0, 1001, 100):
        report("Embedder", done, 1000, "examples")
    report("Trainer", 3, 0, "epochs")
    stage("Trainer", "failed", 2)
print("after")
print("after, on stderr", file=sys.stderr)
"""


def run(tmp_path, line_seconds):
    log = tmp_path / "logs" / "run.log"
    done = subprocess.run(
        [sys.executable, "-c", NOISE, str(log), line_seconds],
        capture_output=True,
        text=True,
        check=True,
    )
    return done, log.read_text()


def test_noise_goes_to_the_log_and_only_progress_to_standard_error(tmp_path):
    done, log = run(tmp_path, "1000")
    assert done.stdout == "before\nafter\n"
    assert done.stderr == textwrap.dedent("""\
        resumes run a
        ExampleGen: started
        ExampleGen: finished after 1.2 s
        StatisticsGen: cached after 0.0 s
        Embedder: started
        Trainer: 3 epochs
        Trainer: failed after 2.0 s
        after, on stderr
        """)
    for line in (
        "printed",
        "from C",
        "from a child",
        "from logging",
        "from absl",
        "Embedder 1000/",
    ):
        assert line in log


def test_a_stage_without_a_terminal_reports_no_more_often_than_asked(tmp_path):
    done, _ = run(tmp_path, "0")
    assert "Embedder: 300 of 1,000 examples\n" in done.stderr


def test_on_a_terminal_ended_stages_stay_as_lines(tmp_path):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", NOISE, str(tmp_path / "run.log"), "0"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
    ) as process:
        os.close(theirs)
        written = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                chunk = os.read(ours, 4096)
            except OSError:
                break
            if not chunk:
                break
            written += chunk
        assert process.wait() == 0
    os.close(ours)
    text = written.decode()
    assert "resumes run a\r\n" in text
    assert "✓ ExampleGen           1.2 s" in text
    assert "↺ StatisticsGen        0.0 s  cached" in text
    assert "✗ Trainer              2.0 s  failed" in text
    assert "printed" not in text


@pytest.fixture
def descriptors():
    before = (os.fstat(1).st_ino, os.fstat(2).st_ino, list(logging.root.handlers))
    yield
    assert (os.fstat(1).st_ino, os.fstat(2).st_ino, list(logging.root.handlers)) == before
    assert LOGGER.handlers == []


@pytest.mark.usefixtures("descriptors")
def test_everything_is_brought_back(tmp_path):
    with Session(tmp_path / "run.log"):
        report("Embedder", 1, 2)


@pytest.mark.usefixtures("descriptors")
def test_an_error_of_ours_comes_out_as_it_is_and_its_traceback_is_in_the_log(tmp_path):
    with pytest.raises(DataError, match="^no pictures$"), Session(tmp_path / "run.log"):
        raise DataError("no pictures")
    assert "Traceback (most recent call last)" in (tmp_path / "run.log").read_text()


@pytest.mark.usefixtures("descriptors")
def test_an_error_of_ours_is_found_inside_one_that_wraps_it(tmp_path):
    wrapper = RuntimeError("no pictures [while running 'Read']")
    wrapper.__cause__ = DataError("no pictures")
    with pytest.raises(DataError, match="^no pictures$"), Session(tmp_path / "run.log"):
        raise wrapper


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(0)])
def test_any_other_error_names_the_log(tmp_path, error):
    with pytest.raises(CrashError) as caught, Session(tmp_path / "run.log"):
        raise error
    assert str(caught.value) == f"{type(error).__name__}: {error}"
    assert caught.value.log == tmp_path / "run.log"
    assert type(error).__name__ in (tmp_path / "run.log").read_text()


@pytest.mark.usefixtures("descriptors")
def test_ctrl_c_stays_ctrl_c(tmp_path):
    with pytest.raises(KeyboardInterrupt), Session(tmp_path / "run.log"):
        raise KeyboardInterrupt


def test_a_terminal_that_goes_away_stops_no_run(tmp_path):
    code = (
        "import sys; from pathlib import Path; from pipeline.terminal import Session\n"
        "from preprocessing.progress import stage\n"
        "sys.stdin.readline()\n"
        "with Session(Path(sys.argv[1])):\n"
        "    stage('Embedder', 'started'); Path(sys.argv[2]).write_text('went on')\n"
    )
    done = tmp_path / "done"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run.log"), str(done)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stderr.close()
        process.stdin.write(b"\n")
        process.stdin.close()
        process.wait()
    assert Path(done).read_text() == "went on"
