"""Texts: every rule by example, and the same in every way of running."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing.text import is_missing, normalise_texts


def normalised(given: str | bytes, form: str = "NFC") -> str:
    return normalise_texts(tf.constant([given]), form).numpy()[0].decode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  two \t\n  words ", "two words"),
        ("no\u00a0break, ideographic\u3000space", "no break, ideographic space"),
        ("line\u2028and\u0085next\x0bline", "line and next line"),
        ("bell\x07 and nothing\x00", "bell and nothing"),
        ("a \u200b b", "a b"),
        ("soft\u00adhyphen \ufeffmark", "softhyphen mark"),
        ("cafe\u0301", "caf\u00e9"),
        ("e\u200d\u0301", "\u00e9"),
        ("\ufb01ne", "\ufb01ne"),
        ("日本語", "日本語"),
        ("", ""),
        (" \n\u200b", ""),
        (b"caf\xe9 bar", "caf\ufffd bar"),
    ],
)
def test_a_text_is_cleaned(given, expected):
    assert normalised(given) == expected


def test_the_parts_of_an_emoji_stay_side_by_side():
    assert normalised("a \U0001f469\u200d\U0001f467 b") == "a \U0001f469\U0001f467 b"
    assert normalised("\u2764\ufe0f \U0001f44d\U0001f3fd") == "\u2764\ufe0f \U0001f44d\U0001f3fd"


def test_the_form_is_the_users_choice():
    assert normalised("\ufb01ne\u2003\u00b2", "NFKC") == "fine 2"
    assert normalised("cafe\u0301", "none") == "cafe\u0301"


@settings(max_examples=200)
@given(st.lists(st.text(max_size=20), max_size=20), st.sampled_from(["NFC", "NFKC", "none"]))
def test_what_is_normal_stays_so_and_only_the_missing_become_empty(texts, form):
    batch = tf.constant([text.encode("utf-8", "replace") for text in texts], tf.string)
    once = normalise_texts(batch, form)
    np.testing.assert_array_equal(normalise_texts(once, form), once)
    np.testing.assert_array_equal(is_missing(batch), once == b"")


def test_an_empty_batch_gives_an_empty_batch():
    assert normalise_texts(tf.constant([], tf.string), "NFC").shape == (0,)


def test_eager_graph_and_dataset_give_the_same():
    texts = ["  A\u0301 \n b", "", "日\u200b本", "x" * 10_000]
    eager = normalise_texts(tf.constant(texts), "NFC")
    graph = tf.function(lambda batch: normalise_texts(batch, "NFC"))(tf.constant(texts))
    (piped,) = tf.data.Dataset.from_tensors(texts).map(lambda batch: normalise_texts(batch, "NFC"))
    np.testing.assert_array_equal(eager, graph)
    np.testing.assert_array_equal(eager, piped)
