"""Reads what the Evaluator wrote: figures by split, class and slice, and the verdict in words.

A new figure in the summary that comes from TFMA is read here.
"""

import collections
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow_model_analysis as tfma

from components.gate.config import METRICS, Threshold
from components.gate.eval_config import BASELINE, CANDIDATE, CONFUSION, LABELS
from components.gate.report import ClassMetrics, Confusion, SliceMetrics

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
        classes: Class names in the order of the model's outputs; of a binary
            one the positive class second; none for a regression.

    Returns:
        The figures of the whole split, of the baseline on it (empty without
        one), of each class, and of each slice. A figure that cannot be
        computed, such as the precision of no prediction, is left out.
    """
    whole = _Record({CANDIDATE: {}, BASELINE: {}}, {}, [])
    slices = []
    for record in tfma.load_metrics(uri):
        read = _read_record(record)
        if _keys(record):
            metrics = _plain(read.figures[CANDIDATE])
            slices.append(SliceMetrics(slice=_keys(record), metrics=metrics))
        else:
            whole = read
    return Evaluation(
        _plain(whole.figures[CANDIDATE]),
        _plain(whole.figures[BASELINE]),
        _class_metrics(whole.counts or _count(whole.matrix, len(classes)), classes),
        _confusions(whole.matrix, classes),
        tuple(sorted(slices, key=lambda one: sorted(one.slice.items()))),
    )


class _Record(NamedTuple):
    """What TFMA says of the whole split or of a slice of it.

    Attributes:
        figures: By model and metric.
        matrix: Counts by (actual, predicted) class of the candidate.
        counts: Multilabel: of each class of the candidate, see `_count`.
    """

    figures: dict[str, dict[str, float]]
    matrix: dict[tuple[int, int], float]
    counts: list[list[float]]


def _read_record(record: Any) -> _Record:
    read = _Record({CANDIDATE: {}, BASELINE: {}}, {}, [])
    for pair in record.metric_keys_and_values:
        model = pair.key.model_name or CANDIDATE
        if pair.key.is_diff:
            continue
        if pair.value.HasField("double_value"):
            read.figures[model][pair.key.name] = pair.value.double_value.value
        elif model == CANDIDATE and pair.key.name == CONFUSION:
            read.matrix.update(_matrix(pair.value))
        elif model == CANDIDATE and pair.key.name == LABELS:
            read.counts.extend(json.loads(pair.value.bytes_value))
    actual: collections.Counter[int] = collections.Counter()
    for (class_id, _), count in read.matrix.items():
        actual[class_id] += int(count)
    # Where one of two classes is absent there is no curve, and TFMA says 0.
    if 0 in actual.values():
        for figures in read.figures.values():
            figures.pop("auc", None)
    return read


def read_verdict(
    uri: str, thresholds: Mapping[Any, Threshold], evaluation: Evaluation
) -> tuple[bool, tuple[str, ...]]:
    """Reads whether the model passed, and says why, one threshold a line.

    Args:
        uri: Folder of the gate's `evaluation` artifact.
        thresholds: By metric.
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
    for name, threshold in thresholds.items():
        value = f"{name} {evaluation.metrics.get(name, math.nan):.4f}"
        bounds = [("at least", threshold.min), ("at most", threshold.max)]
        wanted = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
        if wanted:
            reasons.append(f"{_mark((name, False) in failed)}: {value}, {wanted}")
        if threshold.no_worse_than_baseline_by is not None:
            # Without a figure there is nothing to compare, and TFMA blesses nothing.
            worse = (name, True) in failed or name not in evaluation.metrics
            known = name in evaluation.baseline
            against = f"'s {evaluation.baseline[name]:.4f}" if known else ": none yet"
            reasons.append(f"{_mark(worse)}: {value}, {_comparison(name, threshold)}{against}")
    return result.validation_ok, tuple(reasons)


def _comparison(name: str, threshold: Threshold) -> str:
    metric, allowed = METRICS[name], threshold.no_worse_than_baseline_by
    amount = f"{100 * (allowed or 0):g} %" if metric.relative else f"{allowed:g}"
    side = "below" if metric.higher_is_better else "above"
    return f"at most {amount} {side} the last blessed model"


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
    named = {name: figures[name] for name in METRICS if math.isfinite(figures.get(name, math.nan))}
    if _COUNT in figures:
        named["examples"] = figures[_COUNT]
    return named


def _matrix(value: Any) -> dict[tuple[int, int], float]:
    """Counts by (actual, predicted) class; -1 is a class that training never saw."""
    if value.HasField("confusion_matrix_at_thresholds"):
        (two,) = value.confusion_matrix_at_thresholds.matrices
        return {
            (0, 0): two.true_negatives,
            (0, 1): two.false_positives,
            (1, 0): two.false_negatives,
            (1, 1): two.true_positives,
        }
    return {
        (entry.actual_class_id, entry.predicted_class_id): entry.num_weighted_examples
        for matrix in value.multi_class_confusion_matrix_at_thresholds.matrices
        for entry in matrix.entries
    }


def _count(matrix: dict[tuple[int, int], float], classes: int) -> list[list[float]]:
    """Counts of each class: rightly given, wrongly given, and withheld."""
    right = [matrix.get((index, index), 0.0) for index in range(classes)]
    wrong, withheld = [0.0] * classes, [0.0] * classes
    for (actual, predicted), count in matrix.items():
        if actual != predicted and predicted >= 0:
            wrong[predicted] += count
        if actual != predicted and actual >= 0:
            withheld[actual] += count
    return [right, wrong, withheld]


def _class_metrics(counts: list[list[float]], classes: Sequence[str]) -> tuple[ClassMetrics, ...]:
    rows = [
        ClassMetrics(
            name=name,
            examples=int(right + withheld),
            precision=right / (right + wrong) if right + wrong else None,
            recall=right / (right + withheld) if right + withheld else None,
        )
        for name, right, wrong, withheld in zip(classes, *counts, strict=True)
    ]
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
        if count and actual != predicted and predicted >= 0
    ]
    return tuple(sorted(wrong, key=lambda one: (-one.count, one.actual, one.predicted)))
