"""What a model must hold, on the whole and on every slice that is large enough."""

import pytest

from components.gate.config import EvaluateConfig, Threshold
from components.gate.intervals import Interval
from components.gate.report import Baseline
from components.gate.verdict import Figures, Spread, judge

NONE = Baseline(state="none")
COMPARED = Baseline(state="compared", model="/models/7")


def figures(accuracy=0.7, baseline=None, spread=None, examples=100, name="accuracy", **columns):
    return Figures(
        columns,
        {name: accuracy, "examples": examples} if accuracy is not None else {"examples": examples},
        {} if baseline is None else {name: baseline},
        {} if spread is None else {name: spread},
    )


def verdict(*given, baseline=NONE, task="multiclass", slices=None, least=30, **thresholds):
    config = EvaluateConfig(
        thresholds=thresholds or None,
        slices=[["source"]],
        slice_thresholds=slices,
        min_slice_examples=least,
    )
    report = judge(config, task, given, baseline)
    return report.blessed, report.reasons


def test_bounds_hold_where_they_are_met():
    assert verdict(figures(), accuracy=Threshold(min=0.7, max=0.99)) == (
        True,
        ("passed: accuracy 0.7000, at least 0.7 and at most 0.99",),
    )
    assert verdict(figures(), accuracy=Threshold(min=0.9)) == (
        False,
        ("failed: accuracy 0.7000, at least 0.9",),
    )


def test_a_first_run_says_that_there_is_nothing_to_compare_with():
    bounds = Threshold(min=0.6, no_worse_than_baseline_by=0.01)
    assert verdict(figures(), accuracy=bounds) == (
        True,
        (
            "passed: accuracy 0.7000, at least 0.6",
            "skipped: accuracy 0.7000, at most 0.01 below the last blessed model: none yet",
        ),
    )


@pytest.mark.parametrize(
    ("baseline", "state"), [(0.70, "passed"), (0.71, "passed"), (0.72, "failed"), (0.3, "passed")]
)
def test_a_comparison_allows_what_is_allowed_and_no_rounding_error(baseline, state):
    bounds = Threshold(no_worse_than_baseline_by=0.01)
    _, reasons = verdict(figures(baseline=baseline), baseline=COMPARED, accuracy=bounds)
    assert reasons == (
        f"{state}: accuracy 0.7000, at most 0.01 below the last blessed model's {baseline:.4f}",
    )


@pytest.mark.parametrize(("value", "state"), [(1.1, "passed"), (1.11, "failed"), (0.2, "passed")])
def test_an_error_in_the_labels_unit_may_rise_by_a_share(value, state):
    given = figures(value, baseline=1.0, name="mae")
    bounds = {"mae": Threshold(no_worse_than_baseline_by=0.1)}
    _, reasons = verdict(given, task="regression", baseline=COMPARED, **bounds)
    assert reasons == (
        f"{state}: mae {value:.4f}, at most 10 % above the last blessed model's 1.0000",
    )


def test_a_baseline_that_cannot_be_compared_with_fails_what_compares_and_nothing_else():
    unusable = Baseline(state="unusable", model="/models/7", reason="its folder is gone")
    bounds = Threshold(min=0.6, no_worse_than_baseline_by=0.01)
    assert verdict(figures(), baseline=unusable, accuracy=bounds) == (
        False,
        (
            "passed: accuracy 0.7000, at least 0.6",
            "failed: accuracy 0.7000, at most 0.01 below the last blessed model: "
            "it cannot be compared with",
        ),
    )
    blessed, _ = verdict(figures(), baseline=unusable, accuracy=Threshold(min=0.6))
    assert blessed


def test_a_baseline_that_is_set_aside_fails_nothing():
    aside = Baseline(state="set aside", model="/models/7")
    bounds = Threshold(no_worse_than_baseline_by=0.0)
    assert verdict(figures(), baseline=aside, accuracy=bounds) == (
        True,
        ("skipped: accuracy 0.7000, at most 0 below the last blessed model: set aside",),
    )


def test_a_figure_that_cannot_be_computed_fails_on_the_whole_and_is_skipped_on_a_slice():
    auc = Threshold(min=0.5)
    report = judge(
        EvaluateConfig(thresholds={"auc": auc}, slices=[["source"]], slice_thresholds={"auc": auc}),
        "multiclass",
        [figures(None), figures(None, source="a")],
        NONE,
    )
    assert [str(one) for one in report.judgements] == [
        "failed: auc unknown, at least 0.5: it cannot be computed",
        "skipped: auc unknown on source = a (100), at least 0.5: it cannot be computed",
    ]


def test_without_any_figures_nothing_is_blessed():
    assert not verdict(accuracy=Threshold(min=0))[0]


SLICES = (
    figures(),
    figures(0.9, source="a"),
    figures(0.4, source="b"),
    figures(0.1, source="c", examples=29),
    figures(0.5, source="d", brand="x", examples=30),
)


def test_every_slice_that_is_large_enough_must_hold():
    assert verdict(
        *SLICES, accuracy=Threshold(min=0.6), slices={"accuracy": Threshold(min=0.5)}
    ) == (
        False,
        (
            "passed: accuracy 0.7000, at least 0.6",
            "failed: accuracy 0.4000 on source = b (100), at least 0.5",
            "passed: accuracy on 2 of 3 slices, at least 0.5",
            "skipped: slices of fewer than 30 examples: 1",
        ),
    )


def test_a_small_slice_is_reported_and_not_judged():
    config = EvaluateConfig(slices=[["source"]], slice_thresholds={"accuracy": Threshold(min=0.5)})
    report = judge(config, "multiclass", SLICES, NONE)
    (small,) = report.small
    assert (small.slice, small.metrics) == ({"source": "c"}, {"accuracy": 0.1, "examples": 29})
    assert not any(one.slice == {"source": "c"} for one in report.judgements)


def test_slices_are_compared_with_the_same_slice_of_the_baseline():
    given = (
        figures(baseline=0.7),
        figures(0.9, baseline=0.8, source="a"),
        figures(0.6, baseline=0.8, source="b"),
        figures(0.6, source="c"),
    )
    bounds = Threshold(no_worse_than_baseline_by=0.1)
    blessed, reasons = verdict(*given, baseline=COMPARED, slices={"accuracy": bounds})
    assert not blessed
    assert reasons[1:] == (
        "failed: accuracy 0.6000 on source = b (100), at most 0.1 below the last blessed model's "
        "0.8000",
        "passed: accuracy on 1 of 3 slices, at most 0.1 below the last blessed model",
    )


def test_thresholds_on_the_whole_are_not_on_the_slices():
    blessed, _ = verdict(*SLICES, accuracy=Threshold(min=0.7))
    assert blessed


@pytest.mark.parametrize(
    ("when_unsure", "low", "high", "state", "demand"),
    [
        ("value", 0.5, 0.8, "failed", "at least 0.75"),
        ("pass", 0.5, 0.8, "passed", "perhaps at least 0.75"),
        ("pass", 0.5, 0.74, "failed", "perhaps at least 0.75"),
        ("fail", 0.5, 0.8, "failed", "surely at least 0.75"),
        ("fail", 0.76, 0.8, "passed", "surely at least 0.75"),
    ],
)
def test_what_counts_where_the_bound_is_within_the_interval(when_unsure, low, high, state, demand):
    given = figures(spread=Spread(Interval(low, high)))
    bounds = Threshold(min=0.75, when_unsure=when_unsure)
    _, reasons = verdict(given, accuracy=bounds)
    assert reasons == (f"{state}: accuracy 0.7000, {demand} (95 %: {low:.4f} to {high:.4f})",)


@pytest.mark.parametrize(
    ("when_unsure", "state", "demand"),
    [("value", "failed", ""), ("pass", "passed", "perhaps "), ("fail", "failed", "surely ")],
)
def test_a_difference_has_an_interval_of_its_own(when_unsure, state, demand):
    spread = Spread(Interval(0.6, 0.8), Interval(-0.06, 0.02))
    bounds = Threshold(no_worse_than_baseline_by=0.01, when_unsure=when_unsure)
    given = figures(baseline=0.72, spread=spread)
    _, reasons = verdict(given, baseline=COMPARED, accuracy=bounds)
    assert reasons == (
        f"{state}: accuracy 0.7000, {demand}at most 0.01 below the last blessed model's 0.7200 "
        "(difference -0.0200, 95 %: -0.0600 to 0.0200)",
    )


def test_without_an_interval_the_figure_itself_counts():
    blessed, _ = verdict(figures(), accuracy=Threshold(min=0.71, when_unsure="pass"))
    assert not blessed


def test_without_an_interval_nothing_is_surely_within():
    blessed, _ = verdict(figures(), accuracy=Threshold(min=0.1, when_unsure="fail"))
    assert not blessed


@pytest.mark.parametrize(
    ("baseline", "text"),
    [
        (NONE, "there is no blessed model yet, so only absolute thresholds count"),
        (COMPARED, "compared with the last blessed model, /models/7"),
        (
            Baseline(state="set aside", model="/models/7"),
            "the last blessed model, /models/7, is set aside (--rebaseline), so only absolute "
            "thresholds count; a model that is blessed now takes its place",
        ),
        (
            Baseline(state="unusable", model="/models/7", reason="its folder is gone"),
            "the last blessed model, /models/7, cannot be compared with: its folder is gone. "
            "Restore it, or run once with --rebaseline: then only absolute thresholds count, and "
            "a model that is blessed takes its place",
        ),
    ],
)
def test_what_became_of_the_comparison_is_said_with_what_to_do(baseline, text):
    assert str(baseline) == text
