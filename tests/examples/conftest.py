"""Imports the demo's scripts by path, as they are no package."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    """Gives a function that imports a script, its own folder on the path."""

    def load(path):
        monkeypatch.syspath_prepend(str((ROOT / path).parent))
        return importlib.import_module(Path(path).stem)

    return load
