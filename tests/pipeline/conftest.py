"""Where the config of flowers.py is loaded."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Has what that config points at."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "table.csv").write_text("image,label\n")
    return tmp_path
