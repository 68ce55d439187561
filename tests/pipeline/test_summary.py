"""summary.json says all that a run found out, and reads back as it was written."""

import json

import pytest
from pydantic import ValidationError

from pipeline.summary import Summary, read_summary, write_summary

SMALLEST = {
    "run_id": "20260101-000000-abcd",
    "name": "flowers",
    "config_digest": "sha256:0",
    "stack": {"python": "3.10", "tfx": "1.16.0"},
    "seconds": 12.5,
    "components": [{"name": "Trainer", "seconds": 3.5, "state": "run"}],
    "examples": {"train": 8, "eval": 1},
    "metrics": {"eval": {"accuracy": 0.9}},
    "blessed": True,
    "reasons": ["accuracy 0.9 is at least 0.8"],
    "log": "run.log",
}


def test_what_is_written_is_read_back(tmp_path):
    summary = Summary.model_validate(SMALLEST)
    write_summary(summary, tmp_path / "runs" / "summary.json")
    assert read_summary(tmp_path / "runs" / "summary.json") == summary


def test_machines_find_metrics_under_split_and_name(tmp_path):
    write_summary(Summary.model_validate(SMALLEST), tmp_path / "summary.json")
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written["metrics"]["eval"]["accuracy"] == 0.9
    assert written["blessed"] is True
    assert written["pushed"] is None
    assert written["quarantined"] == 0


def test_no_half_written_summary_stays_behind(tmp_path):
    write_summary(Summary.model_validate(SMALLEST), tmp_path / "summary.json")
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize(("blessed", "code"), [(True, 0), (False, 3)])
def test_the_exit_code_says_whether_the_model_was_blessed(blessed, code):
    assert Summary.model_validate({**SMALLEST, "blessed": blessed}).exit_code == code


def test_a_figure_without_a_field_is_refused():
    with pytest.raises(ValidationError):
        Summary.model_validate({**SMALLEST, "acuracy": 1})
