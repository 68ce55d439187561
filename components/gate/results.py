"""Reads what the Evaluator wrote: figures by split, class and slice, and the verdict.

A new figure in the summary that comes from TFMA is read here.
"""

import collections
import json
import math
import posixpath
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_model_analysis as tfma

from components.gate.config import METRICS
from components.gate.eval_config import BASELINE, CANDIDATE, CONFUSION, LABELS, RELIABILITY
from components.gate.intervals import Interval
from components.gate.report import (
    REPORT_FILE,
    ClassMetrics,
    Confusion,
    GateReport,
    ReliabilityBin,
    SliceMetrics,
)
from components.gate.spread import SUFFIX
from components.gate.verdict import EXAMPLES, Figures, Spread

_COUNT = "example_count"


class Evaluation(NamedTuple):
    """The figures of one split."""

    metrics: dict[str, float]
    baseline: dict[str, float]
    classes: tuple[ClassMetrics, ...]
    confusions: tuple[Confusion, ...]
    slices: tuple[SliceMetrics, ...]
    reliability: tuple[ReliabilityBin, ...]


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
    records = [_read_record(record) for record in tfma.load_metrics(uri)]
    whole = next((one for one in records if not one.slice), _new({}))
    slices = [
        SliceMetrics(slice=one.slice, metrics=_plain(one.figures[CANDIDATE]))
        for one in records
        if one.slice
    ]
    return Evaluation(
        _plain(whole.figures[CANDIDATE]),
        _plain(whole.figures[BASELINE]),
        _class_metrics(whole.counts or _count(whole.matrix, len(classes)), classes),
        _confusions(whole.matrix, classes),
        tuple(sorted(slices, key=lambda one: sorted(one.slice.items()))),
        _reliability(whole.bins),
    )


def read_figures(uri: str) -> list[Figures]:
    """Reads what the verdict rests on.

    Args:
        uri: Folder of the gate's `evaluation` artifact.

    Returns:
        The figures of the whole split first, then of each slice.
    """
    records = [_read_record(record) for record in tfma.load_metrics(uri)]
    records.sort(key=lambda one: (len(one.slice), sorted(one.slice.items())))
    return [
        Figures(
            one.slice,
            _plain(one.figures[CANDIDATE]),
            _plain(one.figures[BASELINE]),
            {name: _spread(text) for name, text in one.spreads.items()},
        )
        for one in records
    ]


class _Record(NamedTuple):
    """What TFMA says of the whole split or of a slice of it.

    Attributes:
        slice: Value by column; empty for the whole split.
        figures: By model and metric.
        matrix: Counts by (actual, predicted) class of the candidate.
        counts: Multilabel: of each class of the candidate, see `_count`.
        bins: Counts, sums of confidences and of what came true of the
            candidate, see sums.calibration.
        spreads: By metric, JSON as spread.py writes it.
    """

    slice: dict[str, str]
    figures: dict[str, dict[str, float]]
    matrix: dict[tuple[int, int], float]
    counts: list[list[float]]
    bins: list[list[float]]
    spreads: dict[str, bytes]


def _new(keys: dict[str, str]) -> _Record:
    return _Record(keys, {CANDIDATE: {}, BASELINE: {}}, {}, [], [], {})


def _read_record(record: Any) -> _Record:
    read = _new(_keys(record))
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
        elif model == CANDIDATE and pair.key.name == RELIABILITY:
            read.bins.extend(json.loads(pair.value.bytes_value))
        elif model == CANDIDATE and pair.key.name.endswith(SUFFIX):
            read.spreads[pair.key.name.removesuffix(SUFFIX)] = pair.value.bytes_value
    actual: collections.Counter[int] = collections.Counter()
    for (class_id, _), count in read.matrix.items():
        actual[class_id] += int(count)
    # Where one of two classes is absent there is no curve, and TFMA says 0.
    if 0 in actual.values():
        for figures in read.figures.values():
            figures.pop("auc", None)
    return read


def read_report(uri: str) -> GateReport:
    """Reads what the gate wrote beside the figures.

    Args:
        uri: Folder of its `evaluation` artifact.
    """
    with tf.io.gfile.GFile(posixpath.join(uri, REPORT_FILE)) as file:
        return GateReport.model_validate_json(file.read())


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
        named[EXAMPLES] = figures[_COUNT]
    return named


def _spread(text: bytes) -> Spread:
    return Spread(*(Interval(*one) if one else None for one in json.loads(text)))


def _reliability(bins: list[list[float]]) -> tuple[ReliabilityBin, ...]:
    """The bins that have something in them, the least confident first."""
    return tuple(
        ReliabilityBin(count=int(count), confidence=confidence / count, accuracy=right / count)
        for count, confidence, right in zip(*bins, strict=True)
        if count
    )


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
