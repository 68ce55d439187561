"""What the demo says where its files are missing; tests/e2e/test_demo.py runs it."""

import pytest

from pipeline import demo
from preprocessing.errors import UsageError


def test_a_demo_without_its_files_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_SOURCE", tmp_path / "share")

    with pytest.raises(UsageError) as caught:
        demo.write_demo(tmp_path)

    assert str(caught.value) == (
        "The demo's files are neither in a clone of the repository nor installed\n"
        f"  Received: '{tmp_path}/share'\n  See: README.md"
    )
