"""What libraries write for the moment lies in the run's own folder, and goes with it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.scratch import clear_scratch, place_of, scratch


@pytest.fixture(autouse=True)
def _temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_this_process_and_others_write_into_it_and_nothing_stays(tmp_path):
    with scratch("a"):
        mine = Path(tempfile.mkdtemp())
        command = [sys.executable, "-c", "import tempfile; print(tempfile.mkdtemp())"]
        theirs = Path(subprocess.check_output(command, text=True).strip())
        assert mine.parent == theirs.parent == tmp_path / "graft-a"
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(tmp_path)


def test_without_the_variable_it_is_not_there_afterwards(monkeypatch):
    monkeypatch.delenv("TMPDIR")
    with scratch("a"):
        pass
    assert "TMPDIR" not in os.environ


def test_what_a_killed_run_has_left_is_removed(tmp_path):
    place = tmp_path / "graft-a"
    place.mkdir()
    (place / "half").touch()
    (tmp_path / "graft-b").mkdir()
    clear_scratch([str(place), str(tmp_path / "graft-never")])
    assert [one.name for one in tmp_path.iterdir()] == ["graft-b"]


def test_a_folder_with_another_name_is_never_removed(tmp_path):
    place = tmp_path / "holidays"
    place.mkdir()
    clear_scratch([str(place)])
    assert place.is_dir()


def test_the_place_has_the_name_of_the_run(tmp_path):
    assert place_of("a") == tmp_path / "graft-a"
