"""Whether a model is good enough: the gate's rule, on figures that TFMA has computed.

TFMA's own validation is not asked. It leaves a slice with few examples out where
it should be shown, knows no interval, and ends the whole run where the last
blessed model cannot be loaded.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from components.gate.config import METRICS, EvaluateConfig, Threshold, thresholds_of
from components.gate.intervals import Interval
from components.gate.report import Baseline, GateReport, Judgement, SliceMetrics
from preprocessing.config import Task

EXAMPLES = "examples"
# 0.80 - 0.79 is a little more than 0.01.
_ROUNDING = 1e-9
_SURENESS = {"value": "", "pass": "perhaps ", "fail": "surely "}


class Spread(NamedTuple):
    """Intervals of one metric; None where there is none.

    Attributes:
        value: Of the figure.
        difference: Of the figure less the baseline's.
    """

    value: Interval | None = None
    difference: Interval | None = None


class Figures(NamedTuple):
    """Of the whole split, or of a slice of it.

    Attributes:
        slice: Value by column; empty for the whole.
        candidate: By metric, and the number of `EXAMPLES`. What cannot be
            computed is not there.
        baseline: The same of the last blessed model, where it was compared.
        spreads: By metric.
    """

    slice: Mapping[str, str]
    candidate: Mapping[str, float]
    baseline: Mapping[str, float]
    spreads: Mapping[str, Spread]


def judge(
    config: EvaluateConfig, task: Task, figures: Sequence[Figures], baseline: Baseline
) -> GateReport:
    """Holds the figures against the thresholds.

    Args:
        config: The thresholds.
        task: Whose own ones count where there are none.
        figures: Of the whole eval split and of each slice.
        baseline: Whether there is something to compare with.

    Returns:
        The verdict. A model is blessed if no threshold fails; one that cannot
        be computed fails on the whole split, and is skipped on a slice. A
        comparison fails if there is a last blessed model that cannot be
        compared with, and is skipped if there is none or it is set aside.
    """
    whole = next((one for one in figures if not one.slice), Figures({}, {}, {}, {}))
    small: list[Figures] = []
    large: list[Figures] = []
    for one in (one for one in figures if one.slice):
        few = one.candidate.get(EXAMPLES, 0) < config.min_slice_examples
        (small if few else large).append(one)
    judgements = [
        judgement
        for name, threshold in thresholds_of(config, task).items()
        for judgement in _judge(name, threshold, whole, baseline, config.confidence)
    ]
    for name, threshold in (config.slice_thresholds or {}).items():
        for one in large:
            judgements += _judge(name, threshold, one, baseline, config.confidence)
    return GateReport(
        blessed=all(one.state != "failed" for one in judgements),
        baseline=baseline,
        judgements=tuple(judgements),
        small=tuple(
            SliceMetrics(slice=dict(one.slice), metrics=dict(one.candidate)) for one in small
        )
        if config.slice_thresholds
        else (),
        least=config.min_slice_examples,
    )


def _judge(
    name: str, threshold: Threshold, figures: Figures, baseline: Baseline, confidence: float | None
) -> Iterable[Judgement]:
    """Gives one judgement for the bounds of a metric, and one for its comparison."""
    value = figures.candidate.get(name)
    examples = figures.candidate.get(EXAMPLES)
    spread = figures.spreads.get(name, Spread())
    common = {
        "metric": name,
        "slice": dict(figures.slice),
        "examples": None if examples is None else int(examples),
        "value": value,
    }
    unknown: dict[str, object] = {
        "state": "skipped" if figures.slice else "failed",
        "why": "it cannot be computed",
    }
    sureness = _SURENESS[threshold.when_unsure]
    if threshold.min is not None or threshold.max is not None:
        bounds = [("at least", threshold.min), ("at most", threshold.max)]
        wanted = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
        found = unknown
        if value is not None:
            holds = _lies_in(value, spread.value, threshold.min, threshold.max, threshold)
            found = {"state": "passed" if holds else "failed", **_sure(spread.value, confidence)}
        yield Judgement.model_validate({**common, "demand": sureness + wanted, **found})
    if threshold.no_worse_than_baseline_by is not None:
        found = unknown
        if value is not None:
            found = _compare(name, threshold, value, figures, baseline)
            if "baseline" in found:
                found |= _sure(spread.difference, confidence)
        demand = sureness + _comparison(name, threshold)
        yield Judgement.model_validate({**common, "demand": demand, **found})


def _compare(
    name: str, threshold: Threshold, value: float, figures: Figures, baseline: Baseline
) -> dict[str, object]:
    if baseline.state == "none":
        return {"state": "skipped", "why": "none yet"}
    if baseline.state == "set aside":
        return {"state": "skipped", "why": "set aside"}
    if baseline.state == "unusable":
        return {"state": "failed", "why": "it cannot be compared with"}
    other = figures.baseline.get(name)
    if other is None:
        return {"state": "skipped", "why": "its figure cannot be computed"}
    metric, allowed = METRICS[name], threshold.no_worse_than_baseline_by or 0.0
    allowed *= abs(other) if metric.relative else 1.0
    low, high = (-allowed, None) if metric.higher_is_better else (None, allowed)
    difference = figures.spreads.get(name, Spread()).difference
    holds = _lies_in(value - other, difference, low, high, threshold)
    return {"state": "passed" if holds else "failed", "baseline": other}


def _lies_in(
    value: float,
    interval: Interval | None,
    low: float | None,
    high: float | None,
    threshold: Threshold,
) -> bool:
    """Whether a figure is within bounds; where its interval reaches over one, as is asked for."""

    def holds(least: float, most: float) -> bool:
        return (low is None or least >= low - _ROUNDING) and (
            high is None or most <= high + _ROUNDING
        )

    if threshold.when_unsure == "fail" and interval is None:
        return False  # Nothing says that it is surely within.
    if interval is None or threshold.when_unsure == "value":
        return holds(value, value)
    if threshold.when_unsure == "fail":
        return holds(interval.low, interval.high)
    return holds(interval.high, interval.low)


def _sure(interval: Interval | None, confidence: float | None) -> dict[str, object]:
    return {"interval": tuple(interval), "confidence": confidence} if interval else {}


def _comparison(name: str, threshold: Threshold) -> str:
    metric, allowed = METRICS[name], threshold.no_worse_than_baseline_by
    amount = f"{100 * (allowed or 0):g} %" if metric.relative else f"{allowed:g}"
    side = "below" if metric.higher_is_better else "above"
    return f"at most {amount} {side} the last blessed model"
