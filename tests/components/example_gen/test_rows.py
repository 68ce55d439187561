"""How many rows a share allows."""

import pytest

from components.example_gen.outcome import check_quarantine
from components.example_gen.rows import Quarantined, count_allowed
from preprocessing.errors import QuarantineError


def test_a_share_counts_as_it_is_written():
    assert [count_allowed(percent / 100, 100) for percent in range(101)] == [*range(101)]
    assert count_allowed(0.05, 19) == 0
    assert count_allowed(1e-05, 100_000) == 1


def test_a_run_may_lose_just_the_share_that_the_config_allows(tmp_path):
    lost = [Quarantined(f"{number}.png", "broken") for number in range(30)]
    uri = str(tmp_path / "ExampleGen" / "examples" / "7")
    check_quarantine(lost[:29], 100, 0.29, uri)
    assert not list(tmp_path.iterdir())
    with pytest.raises(QuarantineError, match="30 of 100 examples"):
        check_quarantine(lost, 100, 0.29, uri)
    kept = tmp_path / "ExampleGen" / "quarantine" / "7.jsonl"
    assert len(kept.read_text().splitlines()) == 30
