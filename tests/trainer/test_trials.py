"""Finished trials outlive the process that trained them."""

import pytest
import tensorflow as tf

from trainer.trials import Finished, Trials

VALUES = {"learning_rate": 0.1, "head.hidden": "[3]", "epochs": 4}
OTHERS = {**VALUES, "epochs": 5}


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "checkpoints" / "search")


def test_a_later_process_finds_them_by_their_values(folder):
    Trials(folder).add(VALUES, Finished(1 / 3, 2.5))
    Trials(folder).add(OTHERS, Finished(2 / 3, 1.5))
    trials = Trials(folder)
    assert trials.find(dict(reversed(VALUES.items()))) == Finished(1 / 3, 2.5)
    assert trials.find(OTHERS) == Finished(2 / 3, 1.5)
    assert trials.find({**VALUES, "epochs": 6}) is None


def test_when_the_search_is_over_nothing_stays(folder, tmp_path):
    trials = Trials(folder)
    trials.clear()
    trials.add(VALUES, Finished(1.0, 1.0))
    trials.clear()
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trials = Trials(None)
    trials.add(VALUES, Finished(1.0, 1.0))
    trials.clear()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": ["x", 1]}', '{"a": [1]}'])
def test_what_is_damaged_is_trained_again(folder, tmp_path, content, caplog):
    Trials(folder).add(VALUES, Finished(1.0, 1.0))
    (tmp_path / "checkpoints" / "search" / "trials.json").write_text(content)
    assert Trials(folder).find(VALUES) is None
    assert "cannot be read" in caplog.text


def test_what_cannot_be_written_ends_no_search(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    trials = Trials(str(tmp_path / "file" / "search"))
    trials.add(VALUES, Finished(1.0, 1.0))
    assert trials.find(VALUES) == Finished(1.0, 1.0)
    assert "A finished trial is not kept: " in caplog.text


def test_they_may_be_kept_at_an_address(tmp_path):
    folder = f"file://{tmp_path}/search"
    Trials(folder).add(VALUES, Finished(1.0, 1.0))
    assert Trials(folder).find(VALUES) == Finished(1.0, 1.0)
    Trials(folder).clear()
    assert not tf.io.gfile.exists(folder)
