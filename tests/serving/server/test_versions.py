"""The newest version that can be loaded answers, and nothing is dropped on the way."""

import os
import shutil
import threading

import pytest

from serving.server.refusal import Refusal
from serving.server.versions import Versions


class Folder:
    """A folder of versions whose models are the text in their files."""

    def __init__(self, path):
        self.path = path
        self.told = []
        self.loaded = []
        self.versions = Versions(path, self._load, self.told.append)

    def _load(self, folder):
        text = (folder / "saved_model.pb").read_text()
        self.loaded.append(folder.name)
        if text.startswith("broken"):
            raise ValueError(f"{text}\nand more")
        return text

    def write(self, number, text):
        (self.path / str(number)).mkdir(parents=True)
        (self.path / str(number) / "saved_model.pb").write_text(text)

    def remove(self, number):
        shutil.rmtree(self.path / str(number))

    def answer(self, number=None):
        with self.versions.lease("m", number) as leased:
            return leased

    def states(self):
        return {one.number: one.state for one in self.versions.states()}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_the_newest_version_answers(folder):
    folder.write(9, "nine")
    folder.write(10, "ten")
    folder.versions.refresh()
    assert folder.answer() == (10, "ten")
    assert folder.loaded == ["10"]
    assert folder.told == ["version 10 serves"]


def test_a_new_version_takes_over_and_the_old_one_is_let_go(folder):
    folder.write(1, "one")
    folder.versions.refresh()
    folder.write(2, "two")
    folder.versions.refresh()
    assert folder.answer() == (2, "two")
    assert folder.states() == {2: "AVAILABLE", 1: "END"}
    assert [one.model for one in folder.versions.states()] == ["two", None]
    assert folder.told[1:] == ["version 2 serves instead of 1"]


def test_a_request_ends_with_the_version_that_it_began_with(folder):
    folder.write(1, "one")
    folder.versions.refresh()
    with folder.versions.lease("m") as leased:
        folder.write(2, "two")
        folder.versions.refresh()
        assert folder.states() == {2: "AVAILABLE", 1: "UNLOADING"}
        assert folder.answer() == (2, "two")
        assert leased == (1, "one")
    assert folder.states() == {2: "AVAILABLE", 1: "END"}


def test_a_version_that_cannot_be_loaded_is_reported_once_and_the_old_one_stays(folder):
    folder.write(1, "one")
    folder.versions.refresh()
    folder.write(2, "broken")
    for _ in range(3):
        folder.versions.refresh()
    assert folder.answer() == (1, "one")
    assert folder.loaded == ["1", "2"]
    assert folder.told[1:] == [
        "version 2 cannot be loaded; version 1 keeps serving",
        "  ValueError: broken",
    ]
    assert folder.versions.states()[0].error == "ValueError: broken\nand more"
    assert folder.states() == {2: "END", 1: "AVAILABLE"}


def test_a_broken_version_that_was_mended_is_loaded(folder):
    folder.write(1, "one")
    folder.write(2, "broken")
    folder.versions.refresh()
    assert folder.told[0] == "version 2 cannot be loaded; trying an older one"
    assert folder.answer() == (1, "one")
    (folder.path / "2" / "saved_model.pb").write_text("mended")
    folder.versions.refresh()
    assert folder.answer() == (2, "mended")


def test_a_version_that_is_copied_in_place_is_tried_again_as_its_files_arrive(folder):
    folder.write(1, "one")
    folder.write(2, "broken")
    folder.versions.refresh()
    folder.versions.refresh()
    assert folder.loaded == ["2", "1"]
    (folder.path / "2" / "variables").mkdir()
    folder.versions.refresh()
    assert folder.loaded == ["2", "1", "2"]


def test_when_the_newest_is_removed_the_one_before_answers(folder):
    folder.write(1, "one")
    folder.write(2, "two")
    folder.versions.refresh()
    folder.remove(2)
    folder.versions.refresh()
    assert folder.answer() == (1, "one")
    folder.write(2, "two again")
    folder.versions.refresh()
    assert folder.answer() == (2, "two again")


def test_what_is_loaded_stays_where_the_folder_becomes_empty_or_goes(folder):
    folder.write(1, "one")
    folder.versions.refresh()
    folder.remove(1)
    folder.versions.refresh()
    assert folder.answer() == (1, "one")
    os.rmdir(folder.path)
    folder.versions.refresh()
    assert folder.answer() == (1, "one")


def test_hidden_folders_and_half_versions_are_not_looked_at(folder):
    folder.write(1, "one")
    folder.write(".staging-2", "two")
    (folder.path / "3").mkdir()
    folder.write("latest", "four")
    folder.versions.refresh()
    assert folder.answer() == (1, "one")
    assert folder.loaded == ["1"]


def test_only_the_loaded_version_can_be_asked_by_its_number(folder):
    folder.write(1, "one")
    folder.write(2, "two")
    folder.versions.refresh()
    assert folder.answer(2) == (2, "two")
    with pytest.raises(Refusal) as refused:
        folder.answer(1)
    assert (refused.value.code.name, refused.value.http) == ("NOT_FOUND", 404)
    assert str(refused.value) == "Servable not found for request: Specific(m, 1)"


def test_before_a_version_is_loaded_none_answers(folder):
    with pytest.raises(Refusal) as refused:
        folder.answer()
    assert str(refused.value) == "Servable not found for request: Latest(m)"


def test_only_the_last_ended_versions_are_remembered(folder):
    for number in range(1, 31):
        folder.write(number, str(number))
        folder.versions.refresh()
    assert list(folder.states()) == list(range(30, 8, -1))


def test_a_watched_folder_is_looked_at_again_even_after_a_failure(folder, monkeypatch):
    folder.write(1, "one")
    folder.versions.refresh()
    looked = threading.Event()
    refresh = folder.versions.refresh

    def fail_once():
        monkeypatch.setattr(folder.versions, "refresh", lambda: (refresh(), looked.set()))
        raise OSError("the disk is away for a moment")

    monkeypatch.setattr(folder.versions, "refresh", fail_once)
    folder.write(2, "two")
    watching = folder.versions.watch(0.01)
    assert looked.wait(5)
    folder.versions.stop()
    watching.join(5)
    assert folder.answer() == (2, "two")
