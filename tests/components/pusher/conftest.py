"""Small models to push, and processes that push them."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("programs.py")


@pytest.fixture
def serving(tmp_path):
    return tmp_path / "serving"


@pytest.fixture
def make_model(tmp_path):
    """Makes a folder that looks like a SavedModel and is told apart by its content."""

    def make(content, folder=None):
        folder = folder or tmp_path / "model"
        (folder / "variables").mkdir(parents=True, exist_ok=True)
        (folder / "saved_model.pb").write_bytes(content)
        (folder / "variables" / "variables.index").write_bytes(b"index")
        return folder

    return make


@pytest.fixture
def start():
    """Starts one of programs.py; what still runs at the end is killed."""
    started = []

    def begin(name, *arguments):
        command = [sys.executable, str(PROGRAMS), name, *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
