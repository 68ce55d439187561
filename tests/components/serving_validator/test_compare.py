"""Answers are compared by rules that rounding does not break and mistakes do not pass."""

import numpy as np
import pytest

from components.serving_validator.compare import compare
from preprocessing.config import LabelConfig

MULTICLASS = LabelConfig()
BINARY = LabelConfig(task="binary", positive="b", threshold=0.7)
MULTILABEL = LabelConfig(task="multilabel")
REGRESSION = LabelConfig(task="regression")


def answers(labels, probabilities):
    return {"label": np.array(labels, "S"), "probabilities": np.array(probabilities, np.float32)}


def far(given, expected, label=MULTICLASS):
    return compare(given, expected, label, 1e-4)


def test_equal_answers_do_not_differ():
    same = answers([b"a", b"b"], [[0.9, 0.1], [0.2, 0.8]])
    assert far(same, same) == (("label", "probabilities"), 0.0, 0, True)


def test_the_largest_difference_counts():
    expected = answers([b"a", b"b"], [[0.9, 0.1], [0.2, 0.8]])
    given = answers([b"a", b"b"], [[0.9, 0.1], [0.3, 0.7]])
    assert far(given, expected).largest == pytest.approx(0.1)


def test_numbers_above_one_count_in_shares_of_them():
    expected, given = {"value": np.array([5000.0, 0.5])}, {"value": np.array([5001.0, 0.5001])}
    assert far(given, expected, REGRESSION).largest == pytest.approx(2e-4)


def test_another_label_is_counted():
    expected = answers([b"a", b"b"], [[0.9, 0.1], [0.2, 0.8]])
    assert far(expected | {"label": np.array([b"a", b"a"])}, expected).other_labels == 1


@pytest.mark.parametrize(
    ("label", "probabilities"),
    [
        (MULTICLASS, [[0.50001, 0.49999]]),
        (BINARY, [[0.29999, 0.70001]]),
        (MULTILABEL, [[0.9, 0.50001]]),
    ],
)
def test_another_label_is_excused_where_rounding_decides_it(label, probabilities):
    expected = answers([b"a"], probabilities)
    assert far(answers([b"b"], probabilities), expected, label).other_labels == 0


def test_no_probability_excuses_another_index_of_the_label():
    expected, given = {"label_id": np.array([1, 0])}, {"label_id": np.array([1, 2])}
    assert far(given, expected).other_labels == 1


def test_labels_of_several_columns_differ_where_one_does():
    expected = {"label_id": np.array([[1.0, 0.0], [0.0, 1.0]])}
    given = {"label_id": np.array([[1.0, 0.0], [1.0, 1.0]])}
    assert far(given, expected, MULTILABEL).other_labels == 1


def test_classes_in_another_order_are_seen():
    expected = {"classes": np.array([[b"a", b"b"]])}
    assert not far({"classes": np.array([[b"b", b"a"]])}, expected).classes


def test_outputs_of_another_shape_differ_by_all():
    expected = answers([b"a"], [[0.9, 0.1]])
    assert far(answers([b"a"], [[0.9, 0.1, 0.0]]), expected).largest == np.inf


def test_what_only_one_of_them_gives_is_not_compared():
    assert far({"vector": np.zeros(1)}, {"value": np.zeros(1)}).compared == ()
