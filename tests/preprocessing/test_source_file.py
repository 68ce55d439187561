"""Vectors lead back to the examples that they were made of, split by split."""

import pytest
import tensorflow as tf

from preprocessing.source_file import raw_patterns, write_source


def test_each_split_leads_to_the_same_split_of_the_examples(tmp_path):
    vectors = tmp_path / "Embedder" / "embeddings" / "7"
    vectors.mkdir(parents=True)
    write_source(str(vectors), "/data/ExampleGen/examples/3")
    assert raw_patterns([f"{vectors}/Split-train/*", f"{vectors}/Split-eval/*"]) == [
        "/data/ExampleGen/examples/3/Split-train/*",
        "/data/ExampleGen/examples/3/Split-eval/*",
    ]


def test_no_note_is_an_error_that_names_it(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match=r"source\.json"):
        raw_patterns([f"{tmp_path}/Split-train/*"])
