"""Intervals hold what they promise, and say nothing where they cannot."""

import math

import numpy as np
import pytest

from components.gate.intervals import jackknife, wilson


def test_wilsons_interval_is_the_textbooks():
    # Newcombe 1998, Table I: 81 of 263.
    assert wilson(81, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(("right", "expected"), [(0, (0.0, 0.1135)), (30, (0.8865, 1.0))])
def test_all_right_and_none_right_are_not_certain(right, expected):
    assert wilson(right, 30, 0.95) == pytest.approx(expected, abs=5e-5)


def mean_of(values, groups):
    """The examples of each of some groups, and their mean as a function of the groups."""
    which = np.arange(len(values)) % groups
    counts = np.bincount(which, minlength=groups)
    return counts, lambda kept: float(values[kept[which]].mean())


def test_one_example_a_group_gives_the_standard_error_of_a_mean():
    values = np.random.default_rng(0).normal(size=40)
    low, high = jackknife(*mean_of(values, 40), 0.95)
    reach = 2.0227 * values.std(ddof=1) / math.sqrt(40)
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), rel=1e-3)


@pytest.mark.parametrize("examples", [30, 1000])
def test_an_interval_holds_the_truth_as_often_as_it_says(examples):
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        values = random.normal(size=examples)
        groups = random.integers(0, 50, examples)
        counts = np.bincount(groups, minlength=50)

        def root_mean_square(kept, values=values, groups=groups):
            return math.sqrt((values[kept[groups]] ** 2).mean())

        low, high = jackknife(counts, root_mean_square, 0.9)
        held += low <= 1 <= high
    assert 0.84 < held / 400 < 0.94


def test_an_empty_group_does_not_count():
    counts, mean = mean_of(np.arange(100.0), 10)
    more = jackknife(np.append(counts, 0), lambda kept: mean(kept[:10]), 0.95)
    assert more == jackknife(counts, mean, 0.95)


def test_a_few_groups_say_nothing():
    assert jackknife(*mean_of(np.arange(100.0), 7), 0.95) is None


def test_a_figure_that_needs_every_group_has_no_interval():
    assert jackknife(np.full(10, 3), lambda kept: 1.0 if kept[0] else math.nan, 0.95) is None
