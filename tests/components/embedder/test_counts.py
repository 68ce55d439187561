"""What was counted in shards is summed by split, for whoever reads the artifact."""

import json

from components.embedder.executor import write_counts


def test_counts_are_summed_by_feature_and_split(tmp_path):
    counts = [
        ("truncated/name", "train", 1),
        ("truncated/description", "train", 5),
        ("truncated/description", "train", 2),
        ("truncated/description", "eval", 0),
    ]
    write_counts(counts, str(tmp_path))
    assert json.loads((tmp_path / "embedder.json").read_text()) == {
        "truncated": {"name": {"train": 1}, "description": {"train": 7, "eval": 0}}
    }


def test_nothing_to_count_is_an_empty_file(tmp_path):
    write_counts([], str(tmp_path))
    assert (tmp_path / "embedder.json").read_text() == "{}\n"
