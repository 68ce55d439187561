"""Labels that need no analysis; the others are in test_kinds.py."""

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.label import add_value

CONFIG = LabelConfig(task="regression")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), (" -2.5e1 ", -25), (".5", 0.5), ("+3.", 3), ("0", 0), ("1E-2", 0.01)],
)
def test_a_number_is_read_however_it_is_written(text, value):
    np.testing.assert_allclose(add_value(tf.constant([text]), CONFIG), [value])


@pytest.mark.parametrize("text", ["", "nan", "inf", "1,299", "1 2", "abc", "0x10", "1_0", "\u0661"])
def test_what_is_no_number_is_nan(text):
    assert np.isnan(add_value(tf.constant([text]), CONFIG)).all()


def test_an_empty_batch_gives_an_empty_batch():
    assert add_value(tf.constant([], tf.string), CONFIG).shape == (0,)
