"""tf.Examples written by hand are those that the protobuf classes write."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.embedder.wire import to_examples

INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(width=32, allow_nan=False)


@settings(max_examples=50)
@given(
    rows=st.lists(
        st.tuples(INTEGERS, FLOATS, st.lists(FLOATS, min_size=40, max_size=40)), min_size=1
    ),
    name=st.text("abcdefghijklmnopqrstuvwxyz_0123456789ä", min_size=1, max_size=300),
)
def test_every_reader_finds_what_was_written(rows, name):
    batch = {
        name: np.array([row[2] for row in rows], np.float32),
        "a label": np.array([row[0] for row in rows]),
        "a value": np.array([row[1] for row in rows], np.float32),
    }
    for number, serialized in enumerate(to_examples(batch)):
        read = tf.train.Example.FromString(serialized).features.feature
        assert list(read[name].float_list.value) == batch[name][number].tolist()
        assert list(read["a label"].int64_list.value) == [rows[number][0]]
        assert list(read["a value"].float_list.value) == [batch["a value"][number]]
        again = tf.train.Example.FromString(serialized).SerializeToString(deterministic=True)
        assert len(again) == len(serialized)


def test_the_graph_parses_them(tmp_path):
    batch = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "y": np.array([300, -1])}
    columns = {
        "x": tf.io.FixedLenFeature([3], tf.float32),
        "y": tf.io.FixedLenFeature([], tf.int64),
    }
    parsed = tf.io.parse_example(list(to_examples(batch)), columns)
    np.testing.assert_array_equal(parsed["x"], batch["x"])
    np.testing.assert_array_equal(parsed["y"], batch["y"])


def test_floats_of_two_bytes_are_written_as_such():
    halves = np.linspace(-3, 3, 600).astype(np.float16).reshape(2, 300)
    columns = {"x": tf.io.FixedLenFeature([], tf.string)}
    examples = list(to_examples({"x": halves}))
    parsed = tf.io.parse_example(examples, columns)
    np.testing.assert_array_equal(tf.io.decode_raw(parsed["x"], tf.float16), halves)
    assert max(map(len, examples)) < 2 * 300 + 30
