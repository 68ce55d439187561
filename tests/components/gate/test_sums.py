"""Figures as sums: what each example adds, and what is made of it, worked out by hand."""

import json
import math

import numpy as np
import pytest

from components.gate.figures import Sums
from components.gate.spread import make_intervals
from components.gate.sums import BINS, SUMS, Rule

MULTICLASS = Rule("multiclass")
BINARY = Rule("binary", 0.4)
MULTILABEL = Rule("multilabel")
NUMBER = Rule("regression")


def figure(name, rule, labels, predictions):
    terms, result = SUMS[name]
    sums = Sums()
    for label, prediction in zip(labels, predictions, strict=True):
        sums = sums.plus(terms(np.atleast_1d(label), np.float32(prediction), rule))
    return result(sums.terms, sums.examples)


def two(*positive):
    return [[1 - one, one] for one in positive]


@pytest.mark.parametrize(
    ("name", "rule", "labels", "predictions", "expected"),
    [
        ("accuracy", MULTICLASS, [1, 0, -1], [[0.2, 0.8], [0.4, 0.6], [0.9, 0.1]], 1 / 3),
        ("accuracy", BINARY, [1, 0, 0, 1], two(0.4, 0.5, 0.1, 0.3), 1 / 2),
        ("accuracy", MULTILABEL, [[1, 0], [1, 1]], [[0.9, 0.6], [0.5, 0.7]], 3 / 4),
        ("precision", BINARY, [1, 0, 0, 1], two(0.4, 0.5, 0.1, 0.3), 1 / 2),
        ("recall", MULTILABEL, [[1, 0], [1, 1]], [[0.9, 0.6], [0.1, 0.7]], 2 / 3),
        ("f1", MULTILABEL, [[1, 0], [1, 1]], [[0.9, 0.6], [0.1, 0.7]], 4 / 6),
        ("precision", BINARY, [1], two(0.1), math.nan),
        ("recall", BINARY, [0], two(0.9), math.nan),
        ("f1", BINARY, [0], two(0.1), math.nan),
        ("mae", NUMBER, [1.0, 2.0, math.nan], [[1.5], [0.5], [9]], 1.0),
        ("mse", NUMBER, [1.0, 2.0], [[1.5], [0.5]], 1.25),
        ("rmse", NUMBER, [1.0, 2.0], [[1.5], [0.5]], math.sqrt(1.25)),
        ("r2", NUMBER, [1.0, 3.0], [[1.5], [2.5]], 0.75),
        ("r2", NUMBER, [2.0, 2.0], [[1.5], [2.5]], math.nan),
    ],
)
def test_a_figure_is_what_is_worked_out_by_hand(name, rule, labels, predictions, expected):
    assert figure(name, rule, labels, predictions) == pytest.approx(expected, nan_ok=True)


def test_calibration_of_a_multiclass_model_is_that_of_its_first_choice():
    # Two said with 0.9 and one of them wrong, two said with 0.5 and one of them right.
    predictions = [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.5, 0.5]]
    error = figure("ece", MULTICLASS, [0, 0, 0, 1], predictions)
    assert error == pytest.approx((2 * 0.4 + 2 * 0.0) / 4)


def test_a_class_that_training_never_saw_is_confidence_that_does_not_come_true():
    assert figure("ece", MULTICLASS, [-1], [[0.9, 0.1]]) == pytest.approx(0.9)


def test_calibration_of_a_binary_model_is_that_of_the_positive_label():
    error = figure("ece", BINARY, [1, 0, 0, -1], two(0.05, 0.05, 0.95, 0.5))
    # One of the two unlikely ones is there, and the likely one is not.
    assert error == pytest.approx((abs(0.1 - 1) + abs(0.95 - 0)) / 3)


def test_calibration_of_many_labels_takes_each_by_itself():
    assert figure("ece", MULTILABEL, [[1, 0]], [[0.8, 0.3]]) == pytest.approx((0.2 + 0.3) / 2)


def test_the_table_has_what_the_error_is_made_of():
    predictions = two(0.0, 1.0, 0.99, 0.5)
    bins = np.array(json.loads(figure("reliability", BINARY, [0, 1, 0, 1], predictions)))
    assert bins.shape == (3, BINS)
    np.testing.assert_array_equal(np.flatnonzero(bins[0]), [0, 7, BINS - 1])
    np.testing.assert_allclose(bins[:, -1], [2, 1.99, 1], rtol=1e-6)


def groups(name, rule, labels, *models):
    """Each example a group of its own."""
    terms = SUMS[name][0]
    return {
        number: (
            1,
            tuple(
                Sums().plus(terms(np.atleast_1d(label), np.float32(said[number]), rule))
                for said in models
            ),
        )
        for number, label in enumerate(labels)
    }


def test_a_share_has_wilsons_interval_and_a_difference_that_of_pairs():
    labels = np.arange(40) % 2
    candidate = np.eye(2)[np.where(np.arange(40) < 30, labels, 1 - labels)]
    baseline = np.eye(2)[np.where(np.arange(40) < 28, labels, 1 - labels)]
    given = groups("accuracy", MULTICLASS, labels, candidate, baseline)
    value, difference = make_intervals(given, "accuracy", 0.95)
    assert value == pytest.approx((0.5981, 0.8581), abs=1e-4)
    # The two differ in two examples of forty: far less than two independent shares would.
    assert difference == pytest.approx((0.05 - 0.0706, 0.05 + 0.0706), abs=1e-3)


def test_models_that_say_the_same_surely_differ_by_nothing():
    labels = np.arange(20) % 2
    said = np.eye(2)[labels]
    given = groups("loss", MULTICLASS, labels, said, said)
    assert make_intervals(given, "loss", 0.95)[1] == (0.0, 0.0)


def test_examples_that_do_not_count_are_in_no_figure():
    labels = np.where(np.arange(40) < 20, np.arange(40.0), math.nan)
    said = np.arange(40.0)[:, None] + 1
    (low, high), difference = make_intervals(groups("mae", NUMBER, labels, said), "mae", 0.95)
    assert (low, high) == pytest.approx((1, 1))
    assert difference is None


def test_where_nothing_counts_there_is_no_interval():
    given = groups("mae", NUMBER, [math.nan] * 20, np.ones([20, 1]))
    assert make_intervals(given, "mae", 0.95) == (None, None)
