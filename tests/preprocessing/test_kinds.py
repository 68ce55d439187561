"""Numbers and categories through a real analysis; values worked out by hand."""

import numpy as np
import pytest

from preprocessing.config import CategoricalFeature, LabelConfig, NumericFeature, TextFeature

NAN = float("nan")
INF = float("inf")


def number(**options) -> NumericFeature:
    return NumericFeature(kind="numeric", **{"missing": "default", **options})


def words(**options) -> CategoricalFeature:
    return CategoricalFeature(kind="categorical", **{"missing": "default", **options})


NUMBERS = {
    "score": number(),
    "from_two": number(default=2.0),
    "bucket": number(buckets=4),
    "two_values": number(buckets=4),
    "constant": number(),
    "never": number(),
    "never_bucket": number(buckets=3),
    "whole": number(missing="reject"),
}
# Mean 4, variance 4 over those that are there.
PRICES = [2.0, 4.0, NAN, 6.0, 2.0, INF, 6.0, 4.0, 2.0, 6.0, 2.0, 6.0, 2.0, 6.0]


@pytest.fixture(scope="module")
def numbers(analyse):
    rows = [
        {
            "score": price,
            "from_two": price,
            "bucket": float(place),
            "two_values": float(place % 2),
            "constant": 0.1,
            "never": NAN,
            "never_bucket": NAN,
            "whole": float(place % 2),
        }
        for place, price in enumerate(PRICES)
    ]
    graph = analyse(NUMBERS, rows)

    def apply(**columns):
        count = max(map(len, columns.values()))
        return graph(**{name: columns.get(name, [0.0] * count) for name in NUMBERS})

    return apply


DEVIATION = np.sqrt(40 / 12)


def test_a_z_score_counts_present_values_only_and_a_missing_one_is_the_mean(numbers):
    found = numbers(score=[4.0, 6.0, NAN, INF])
    expected = [0, 2 / DEVIATION, 0, 0]
    np.testing.assert_allclose(found["score"].ravel(), expected, atol=1e-6)
    assert found["score_missing"].ravel().tolist() == [0, 0, 1, 1]
    assert found["score_missing"].shape == (4, 1)


def test_a_default_of_ones_own_stands_for_missing_values(numbers):
    found = numbers(from_two=[2.0, NAN])["from_two"].ravel()
    np.testing.assert_allclose(found, [-2 / DEVIATION] * 2, atol=1e-6)


def test_buckets_have_equal_shares_and_a_missing_value_that_of_the_mean(numbers):
    found = numbers(bucket=[-5.0, 0.0, 5.0, 8.0, 13.0, 99.0, NAN])["bucket"]
    assert found.argmax(axis=1).tolist() == [0, 0, 1, 2, 3, 3, 1]
    assert found.sum(axis=1).tolist() == [1] * 7
    assert found.shape == (7, 4)


def test_few_distinct_values_leave_buckets_empty_but_do_not_change_the_width(numbers):
    found = numbers(two_values=[0.0, 1.0])["two_values"]
    assert found.shape == (2, 4)
    assert found[0].argmax() < found[1].argmax()


def test_a_column_that_says_nothing_becomes_zeros_and_crashes_nothing(numbers):
    found = numbers(constant=[0.1, 7.0, NAN], never=[1.0, NAN, -3.0], never_bucket=[1.0, NAN, 2.0])
    assert found["constant"].ravel().tolist() == [0, 0, 0]
    assert found["never"].ravel().tolist() == [0, 0, 0]
    assert found["never_bucket"].sum(axis=1).tolist() == [1, 1, 1]
    assert len(set(found["never_bucket"].argmax(axis=1))) == 1


def test_only_a_feature_that_may_be_missing_has_an_indicator(numbers):
    found = numbers(score=[1.0])
    assert "whole_missing" not in found
    assert {f"{name}_missing" for name in NUMBERS} - set(found) == {"whole_missing"}


WORDS = {
    "brand": words(oov_buckets=3),
    "top": words(top_k=2),
    "often": words(min_count=2),
    "red": words(default="red"),
    "rare": words(min_count=9),
    "full": words(missing="reject"),
}
BRANDS = [b"red", b"red\t", b" red", b"blue", b"blue", b"green", b"", " \u200b".encode()]


@pytest.fixture(scope="module")
def categories(analyse):
    rows = [dict.fromkeys(WORDS, brand) | {"full": b"x"} for brand in BRANDS]
    rows.append(dict.fromkeys(WORDS, b"two\nlines"))
    graph = analyse(WORDS, rows)

    def apply(*given):
        return graph(**dict.fromkeys(WORDS, list(given)))

    apply.size = lambda name: graph.output.vocabulary_size_by_name(f"{name}_words")
    return apply


def test_the_commonest_word_comes_first_and_missing_is_a_word_of_its_own(categories):
    found = categories("red", "\u00a0red ", "blue", "green", "", " \u00ad")
    numbers = found["brand"].tolist()
    assert numbers[:2] == [0, 0]
    assert sorted(numbers[1:5]) == [0, 1, 2, 3]
    assert numbers[4] == numbers[5]
    assert found["brand_missing"].ravel().tolist() == [0, 0, 0, 0, 1, 1]


def test_unknown_words_share_buckets_behind_the_vocabulary_by_hash(categories):
    assert categories.size("brand") == 4
    found = categories(*(f"word {n}" for n in range(50)), "two\nlines")["brand"]
    assert set(found.tolist()) == {4, 5, 6}


def test_rare_words_count_as_unknown(categories):
    assert categories.size("top") == 2
    found = categories("red", "green", "zzz")
    assert found["top"].tolist() == [0, 2, 2]
    assert found["often"].tolist() == [0, categories.size("often"), categories.size("often")]


def test_a_default_word_stands_for_missing_ones(categories):
    assert categories("", "red")["red"].tolist() == [0, 0]


def test_a_vocabulary_without_a_word_crashes_nothing(categories):
    size = categories.size("rare")
    assert categories("red", "")["rare"].tolist() == [size, size]


def test_an_empty_batch_gives_an_empty_batch(numbers, categories):
    assert {one.shape[0] for one in numbers(score=[]).values()} == {0}
    found = categories()
    assert {one.shape[0] for one in found.values()} == {0}


@pytest.mark.parametrize("kind", [number, words])
def test_options_that_make_no_sense_are_refused(kind):
    with pytest.raises(ValueError, match="greater than"):
        kind(**({"buckets": 1} if kind is number else {"oov_buckets": 0}))


SEVERAL = LabelConfig(task="multilabel", separator="; ")


@pytest.fixture(scope="module")
def several(analyse):
    rows = [{"note": b"x", "label": one} for one in (b"a; b", b"a", b"c; a", b"a; b; c", b"b")]
    return analyse({"note": TEXT}, rows, SEVERAL)


TEXT = TextFeature(kind="text", backbone="hub:any", missing="default")


def test_several_labels_become_a_row_of_zeros_and_ones_without_those_unknown(several):
    given = ["a; c", "zzz; b", "", "; ", " b ;  b", "zzz"]
    found = several(note=["x"] * 6, label=given)["label"]
    assert several.output.vocabulary_by_name("label") == [b"a", b"b", b"c"]
    expected = [[1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert found.tolist() == expected
    assert several(note=[], label=[])["label"].shape == (0, 3)


def test_a_text_is_normalised_in_the_graph_with_its_indicator(several):
    found = several(note=["  Cafe\u0301\u200b\n!", "\u00a0\u200b"], label=["a", "a"])
    assert [one.decode() for one in found["note"]] == ["Caf\u00e9 !", ""]
    assert found["note_missing"].ravel().tolist() == [0, 1]


def test_a_binary_label_is_one_where_it_is_the_positive_one(analyse):
    label = LabelConfig(task="binary", positive="yes")
    graph = analyse(
        {"note": TEXT}, [{"note": b"x", "label": one} for one in (b"no", b"yes")], label
    )
    found = graph(note=["x"] * 3, label=["yes", "no", ""])["label"]
    assert found.tolist() == [1, 0, -1]
    assert sorted(graph.output.vocabulary_by_name("label")) == [b"no", b"yes"]
