"""What the head gets is what was stored, whatever type that has."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.embedder.wire import to_examples
from trainer.head_inputs import HeadInput, as_float16, from_stored, stored_columns

NORMAL = st.floats(2.0**-14, 65504, width=32)


@given(st.lists(NORMAL | NORMAL.map(lambda one: -one), min_size=1))
def test_rounding_is_that_of_float16(numbers):
    vector = np.array(numbers, np.float32)
    rounded = as_float16(tf.constant(vector)).numpy()
    expected = vector.astype(np.float16)
    # Halfway between two, either is as near.
    np.testing.assert_array_equal(rounded.astype(np.float16).astype(np.float32), rounded)
    np.testing.assert_array_equal(np.abs(rounded - vector), np.abs(expected - vector))


def test_what_is_too_small_for_eleven_bits_differs_by_next_to_nothing():
    vector = np.linspace(-(2.0**-14), 2.0**-14, 10_001, dtype=np.float32)
    rounded = as_float16(tf.constant(vector)).numpy()
    assert np.abs(rounded.astype(np.float16) - rounded).max() <= 2.0**-25


def test_nothing_optimises_the_rounding_away_and_gradients_pass():
    vector = tf.Variable(tf.random.stateless_uniform([1000], (1, 2)))

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            rounded = as_float16(vector)
        return rounded, tape.gradient(rounded, vector)

    rounded, gradient = run()
    np.testing.assert_array_equal(rounded, vector.numpy().astype(np.float16))
    np.testing.assert_array_equal(gradient, np.ones(1000))


@pytest.mark.parametrize("stored", ["float32", "float16"])
def test_what_was_written_is_what_the_head_gets(stored):
    inputs = {
        "image": HeadInput(kind="vector", width=3, stored=stored),
        "price": HeadInput(kind="number", width=1),
        "shop": HeadInput(kind="category", width=2),
    }
    vectors = np.array([[0.5, -2, 3], [0, 1, 65504]], np.dtype(stored))
    written = {"image": vectors, "price": np.array([1.5, 2], np.float32), "shop": np.array([1, 0])}
    parsed = tf.io.parse_example(list(to_examples(written)), stored_columns(inputs))
    read = from_stored(parsed, inputs)
    assert {one.dtype for one in read.values()} == {tf.float32}
    np.testing.assert_array_equal(read["image"], vectors.astype(np.float32))
    np.testing.assert_array_equal(read["price"], [[1.5], [2]])
    np.testing.assert_array_equal(read["shop"], [[0, 1], [1, 0]])
