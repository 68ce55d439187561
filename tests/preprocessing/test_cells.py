"""Ingest and the graph must not disagree on what is nothing, and what a number."""

import math

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from preprocessing import categorical, text
from preprocessing.cells import NUMBER, is_blank, number_in

# But for two of Unicode 14, which not every Python and TensorFlow knows.
SIGNS = [chr(code) for code in range(0x3001) if code not in (0x890, 0x891)]
SIGNS += ["\ufeff", "\U000e0001", "\U0001f600", "\ufffd"]


def test_every_sign_is_blank_for_ingest_where_it_is_for_the_graph():
    batch = tf.constant([sign.encode() for sign in SIGNS])
    for graph in (text.is_missing(batch), categorical.is_missing(batch)):
        differing = [
            hex(ord(sign))
            for sign, missing in zip(SIGNS, graph.numpy(), strict=True)
            if missing != is_blank(sign)
        ]
        assert differing == []


@given(st.text(st.sampled_from("0123456789+-.eE, \n_naif\u0661"), max_size=8))
def test_a_number_for_ingest_is_a_number_for_the_graph(cell):
    finite = bool(tf.strings.regex_full_match(cell, NUMBER)) and bool(
        tf.math.is_finite(tf.strings.to_number(cell))
    )
    assert (number_in(cell) is not None) == finite


@pytest.mark.parametrize("cell", ["1e39", "-1e39", "1e400", "nan", "inf", "1,299", "n/a", ""])
def test_what_float32_cannot_hold_is_no_number(cell):
    assert number_in(cell) is None


@pytest.mark.parametrize("cell", ["0", "-1.5e3", ".5", "3.", "3.4028234e38"])
def test_numbers_are_read_as_python_reads_them(cell):
    assert number_in(cell) == float(cell)
    assert math.isfinite(tf.strings.to_number(cell))
