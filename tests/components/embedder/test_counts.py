"""What workers counted is summed, for whoever reads the artifact."""

import json

from components.embedder.counts import Counts, write_counts


def test_counts_are_summed_by_feature_and_split(tmp_path):
    one, other = Counts(), Counts()
    one.truncated("name", "train", 1)
    one.truncated("description", "train", 5)
    other.truncated("description", "train", 2)
    other.truncated("description", "eval", 0)
    one.vectors("image", new=3, kept=2, duplicates=1, recomputed=0)
    other.vectors("image", new=1, kept=0, duplicates=0, recomputed=1)
    one.note("the disk is full")
    other.note("the disk is full")
    write_counts([*one, *other], str(tmp_path))
    assert json.loads((tmp_path / "embedder.json").read_text()) == {
        "truncated": {"name": {"train": 1}, "description": {"train": 7, "eval": 0}},
        "vectors": {"image": {"new": 4, "kept": 2, "duplicates": 1, "recomputed": 1}},
        "notes": ["the disk is full"],
    }


def test_nothing_to_count_is_an_empty_file(tmp_path):
    write_counts([], str(tmp_path))
    assert (tmp_path / "embedder.json").read_text() == "{}\n"
