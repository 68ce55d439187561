"""Reads what the Evaluator wrote: figures by split, class and slice, and the verdict in words.

A new figure in the summary that comes from TFMA is read here.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow_model_analysis as tfma

from pipeline.evaluate_config import METRICS, EvaluateConfig
from pipeline.evaluation import BASELINE, CANDIDATE, CONFUSION
from pipeline.summary import ClassMetrics, Confusion, SliceMetrics

_COUNT = "example_count"


class Evaluation(NamedTuple):
    """The figures of one split."""

    metrics: dict[str, float]
    baseline: dict[str, float]
    classes: tuple[ClassMetrics, ...]
    confusions: tuple[Confusion, ...]
    slices: tuple[SliceMetrics, ...]


def read_evaluation(uri: str, classes: Sequence[str]) -> Evaluation:
    """Reads the metrics of one Evaluator.

    Args:
        uri: Folder of its `evaluation` artifact.
        classes: Class names in the order of the model's outputs.

    Returns:
        The figures of the whole split, of the baseline on it (empty without
        one), of each class, and of each slice.
    """
    overall: dict[str, dict[str, float]] = {CANDIDATE: {}, BASELINE: {}}
    matrix: dict[tuple[int, int], float] = {}
    slices = []
    for record in tfma.load_metrics(uri):
        figures: dict[str, dict[str, float]] = {CANDIDATE: {}, BASELINE: {}}
        for pair in record.metric_keys_and_values:
            if pair.key.is_diff:
                continue
            model = pair.key.model_name or CANDIDATE
            if pair.value.HasField("double_value"):
                figures[model][pair.key.name] = pair.value.double_value.value
            elif pair.key.name == CONFUSION and model == CANDIDATE and not _keys(record):
                matrix = _matrix(pair.value.multi_class_confusion_matrix_at_thresholds)
        if _keys(record):
            slices.append(SliceMetrics(slice=_keys(record), metrics=_plain(figures[CANDIDATE])))
        else:
            overall = figures
    return Evaluation(
        _plain(overall[CANDIDATE]),
        _plain(overall[BASELINE]),
        _class_metrics(matrix, classes),
        _confusions(matrix, classes),
        tuple(sorted(slices, key=lambda one: sorted(one.slice.items()))),
    )


def read_verdict(
    uri: str, config: EvaluateConfig, evaluation: Evaluation
) -> tuple[bool, tuple[str, ...]]:
    """Reads whether the model passed, and says why, one threshold a line.

    Args:
        uri: Folder of the gate's `evaluation` artifact.
        config: The thresholds.
        evaluation: The figures of the split that the gate looked at.

    Returns:
        TFMA's verdict, and the reasons.
    """
    result = tfma.load_validation_result(uri)
    failed = {
        (failure.metric_key.name, failure.metric_key.is_diff)
        for part in result.metric_validations_per_slice
        for failure in part.failures
    }
    reasons = []
    for name, threshold in config.thresholds.items():
        value = f"{name} {evaluation.metrics.get(name, math.nan):.4f}"
        bounds = [("at least", threshold.min), ("at most", threshold.max)]
        wanted = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
        if wanted:
            reasons.append(f"{_mark((name, False) in failed)}: {value}, {wanted}")
        if threshold.no_worse_than_baseline_by is not None:
            side = "below" if METRICS[name].higher_is_better else "above"
            against = (
                f"'s {evaluation.baseline[name]:.4f}"
                if name in evaluation.baseline
                else ": none yet"
            )
            reasons.append(
                f"{_mark((name, True) in failed)}: {value}, at most "
                f"{threshold.no_worse_than_baseline_by:g} {side} the last blessed model{against}"
            )
    return result.validation_ok, tuple(reasons)


def _mark(failed: bool) -> str:
    return "failed" if failed else "passed"


def _keys(record: Any) -> dict[str, str]:
    return {one.column: _text(one) for one in record.slice_key.single_slice_keys}


def _text(key: Any) -> str:
    kind = key.WhichOneof("kind")
    value = getattr(key, kind) if kind else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _plain(figures: dict[str, float]) -> dict[str, float]:
    """Our names first, in our order; the count as `examples`."""
    named = {name: figures[name] for name in METRICS if name in figures}
    if _COUNT in figures:
        named["examples"] = figures[_COUNT]
    return named


def _matrix(value: Any) -> dict[tuple[int, int], float]:
    """Counts by (actual, predicted) class; -1 is a class that training never saw."""
    return {
        (entry.actual_class_id, entry.predicted_class_id): entry.num_weighted_examples
        for matrix in value.matrices
        for entry in matrix.entries
    }


def _class_metrics(
    matrix: dict[tuple[int, int], float], classes: Sequence[str]
) -> tuple[ClassMetrics, ...]:
    rows = []
    for index, name in enumerate(classes):
        right = matrix.get((index, index), 0.0)
        actual = sum(count for (is_, _), count in matrix.items() if is_ == index)
        predicted = sum(count for (_, said), count in matrix.items() if said == index)
        rows.append(
            ClassMetrics(
                name=name,
                examples=int(actual),
                precision=right / predicted if predicted else None,
                recall=right / actual if actual else None,
            )
        )
    return tuple(sorted(rows, key=lambda row: row.name))


def _confusions(
    matrix: dict[tuple[int, int], float], classes: Sequence[str]
) -> tuple[Confusion, ...]:
    wrong = [
        Confusion(
            actual=classes[actual] if actual >= 0 else "(a class unknown to training)",
            predicted=classes[predicted],
            count=int(count),
        )
        for (actual, predicted), count in matrix.items()
        if actual != predicted and predicted >= 0
    ]
    return tuple(sorted(wrong, key=lambda one: (-one.count, one.actual, one.predicted)))
