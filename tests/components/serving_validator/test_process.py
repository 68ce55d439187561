"""The clean process: how it ends is said in words, whatever it ran into."""

import time

import pytest

from components.serving_validator.process import run
from preprocessing.clean_process import Program


@pytest.fixture
def ended(tmp_path):
    def shell(script, timeout_seconds=20):
        (tmp_path / "empty").mkdir()
        stage, program = tmp_path / "stage", tmp_path / "program.py"
        stage.write_text("loading the model")
        program.write_text("import os, sys; os.execlp('sh', 'sh', '-c', sys.argv[1])")
        order = Program(program, [script], tmp_path / "empty", tmp_path / "log.txt")
        return run(order, stage, timeout_seconds)

    return shell


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ("true", ""),
        (
            "kill -9 $$",
            "was killed (SIGKILL) while loading the model, most likely for want of memory",
        ),
        (
            "echo one line >&2; echo 'terminate called' >&2; kill -ABRT $$",
            "crashed (SIGABRT) while loading the model: terminate called",
        ),
        (
            "echo 'ImportError: no tensorflow' >&2; exit 1",
            "ended with exit code 1 while loading the model: ImportError: no tensorflow",
        ),
    ],
)
def test_an_end_has_its_reason(ended, script, failure):
    assert ended(script).failure == failure


def test_a_process_that_hangs_is_ended_with_its_children(ended, tmp_path):
    started = time.monotonic()
    late = ended(f"sh -c 'sleep 3; touch {tmp_path}/alive' & sleep 60", 1)
    assert late.failure == "did not end within 1 s; it was loading the model"
    assert time.monotonic() - started < 10
    time.sleep(3)
    assert not (tmp_path / "alive").exists()


def test_what_it_writes_is_kept_and_it_starts_in_an_empty_folder(ended):
    assert ended("ls -A; pwd | grep -o empty$").log == "empty\n"
