"""The examples that a model is tried on: chosen evenly, each with its own answer."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from components.serving_validator.examples import read_trial

EXAMPLES = [f"example {number}".encode() for number in range(10)]


@pytest.fixture
def folders(tmp_path):
    """Ten examples in two files, one of them gzipped, and an answer to each."""
    split, run = tmp_path / "Split-eval", tmp_path / "run"
    split.mkdir()
    run.mkdir()
    for name, part, kind in (("a", EXAMPLES[:5], ""), ("b.gz", EXAMPLES[5:], "GZIP")):
        with tf.io.TFRecordWriter(str(split / name), kind) as writer:
            for one in part:
                writer.write(one)
    keys = np.array([hashlib.sha256(one).hexdigest() for one in EXAMPLES], "S")
    np.savez(
        run / "eval_predictions.npz",
        examples=keys,
        value=np.arange(10.0),
        classes=np.array([[b"a", b"b"]]),
    )
    return str(split), str(run)


@pytest.mark.parametrize(
    ("limit", "rows"),
    [(None, range(10)), (100, range(10)), (1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9])],
)
def test_so_many_are_chosen_evenly(folders, limit, rows):
    trial = read_trial(*folders, limit)
    assert trial.serialized == [EXAMPLES[row] for row in rows]
    assert trial.expected["value"].tolist() == list(rows)
    assert trial.expected["classes"].tolist() == [[b"a", b"b"]]
    assert trial.known == 10


def test_examples_of_which_nothing_is_known_are_left_out(folders):
    split, run = folders
    with tf.io.TFRecordWriter(f"{split}/a") as writer:
        writer.write(b"another")
    assert read_trial(split, run, None).serialized == EXAMPLES[5:]


def test_a_trainer_that_left_no_answers_leaves_nothing_to_try(folders, tmp_path):
    split, _ = folders
    assert read_trial(split, str(tmp_path), None) == ([], {}, 0)
