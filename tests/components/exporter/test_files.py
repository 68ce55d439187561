"""What passes between the pipeline, Python's children and Node, and which examples do."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.exporter.answers import read_answers, write_answers
from components.exporter.samples import sample_examples
from components.exporter.saved_model import percentiles
from components.exporter.tensor_files import read_examples, write_tensors


def test_tensors_come_back_one_example_at_a_time(tmp_path):
    batches = [
        {
            "image": np.arange(24 * size, dtype=np.float32).reshape(size, 2, 4, 3) + start,
            "word": np.arange(size, dtype=np.int32) + start,
        }
        for start, size in ((0, 2), (100, 1))
    ]
    assert write_tensors(tmp_path / "tensors", batches) == 3
    examples = list(read_examples(tmp_path / "tensors"))
    assert [one["word"].tolist() for one in examples] == [[0], [1], [100]]
    assert [one["image"].shape for one in examples] == [(1, 2, 4, 3)] * 3
    np.testing.assert_array_equal(examples[2]["image"], batches[1]["image"])
    assert examples[0]["image"].dtype == np.float32


def test_answers_come_back_and_nodes_null_is_no_number(tmp_path):
    path = tmp_path / "answers.json"
    write_answers(path, np.array([[0.25, 0.75]], np.float32), [1.5], "here")
    answers = read_answers(path)
    assert (answers.outputs.tolist(), answers.milliseconds) == ([[0.25, 0.75]], [1.5])
    assert answers.runtime == "here"
    path.write_text(json.dumps({"outputs": [[None, 1]], "milliseconds": [], "runtime": ""}))
    assert np.isnan(read_answers(path).outputs[0, 0])


@pytest.fixture
def split(tmp_path):
    """40 records, 0 to 39, in two files, of which one is compressed."""
    for name, kind, numbers in (("a", "", range(15)), ("b.gz", "GZIP", range(15, 40))):
        with tf.io.TFRecordWriter(str(tmp_path / name), kind) as writer:
            for number in numbers:
                writer.write(str(number).encode())
    return str(tmp_path)


def drawn(split, count):
    return [int(one) for batch in sample_examples(split, count) for one in batch.numpy()]


def test_a_sample_comes_from_all_of_a_split_and_is_the_same_each_time(split):
    sample = drawn(split, 12)
    assert sample == sorted(set(sample)) == drawn(split, 12)
    assert len(sample) == 12
    assert sample[0] < 15 <= sample[-1]


def test_a_split_that_has_no_more_is_taken_whole(split, tmp_path):
    assert drawn(split, 40) == drawn(split, 1000) == list(range(40))
    (tmp_path / "empty").mkdir()
    assert drawn(str(tmp_path / "empty"), 5) == []


def test_the_first_calls_do_not_count_for_the_latency():
    assert percentiles([1000.0] * 5 + [1.0, 2.0, 3.0]).p50 == 2.0
    assert percentiles([7.0]).p95 == 7.0
