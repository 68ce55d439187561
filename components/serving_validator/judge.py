"""What the ServingValidator demands of a model, each check in words.

A new demand is a function here that returns verdicts, and a line in `judge`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.serving_validator.compare import compare
from components.serving_validator.config import ValidateConfig
from components.serving_validator.ops import OpCheck
from components.serving_validator.report import Latency, Parity
from preprocessing.config import LabelConfig

DEFAULT = "serving_default"
_SHOWN = 5


class Verdict(NamedTuple):
    """One check."""

    passed: bool
    said: str

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'failed'}: {self.said}"


def judge_size(size_mb: float, config: ValidateConfig) -> list[Verdict]:
    """Whether the model is small enough, where the config has a limit."""
    limit = config.max_size_mb
    if limit is None:
        return []
    return [Verdict(size_mb <= limit, f"its files take {size_mb:,.1f} MB, at most {limit:,g}")]


def judge_ops(ops: OpCheck, version: str) -> list[Verdict]:
    """Whether TensorFlow Serving has every operation."""
    server = f"TensorFlow Serving {version}"
    if ops.missing:
        named = ", ".join(
            f"{op} (of TF-Text)" if op in ops.text else op for op in ops.missing[:_SHOWN]
        )
        more = len(ops.missing) - _SHOWN
        others = f" and {more} more" if more > 0 else ""
        return [Verdict(False, f"{server} lacks operations of the model: {named}{others}")]
    text = f", {len(ops.text)} of them from TF-Text" if ops.text else ""
    return [Verdict(True, f"{server} has all {len(ops.all)} operations of the model{text}")]


def judge_result(result: Mapping[str, Any], ours: Sequence[str]) -> list[Verdict]:
    """Whether the model loads, and in a process that was as clean as it should be.

    Args:
        result: What the process wrote.
        ours: Packages that must not have been imported.
    """
    found = sorted(set(ours) & set(result["imported"]))
    if found:
        return [Verdict(False, f"the process that tried it had imported {', '.join(found)}")]
    if "error" in result:
        return [Verdict(False, f"it cannot be loaded by TensorFlow alone: {result['error']}")]
    return []


def judge_signatures(signatures: Mapping[str, Any], config: ValidateConfig) -> list[Verdict]:
    """Whether each signature answers, whatever the size of the batch."""
    verdicts = []
    if DEFAULT not in signatures:
        said = f"it has no signature {DEFAULT}, but {', '.join(signatures) or 'none at all'}"
        verdicts.append(Verdict(False, said))
    for name, one in signatures.items():
        if one["error"]:
            verdicts.append(Verdict(False, f"{name} fails: {one['error']}"))
            continue
        wrong = [w for w in (_batch_fault(b, config.tolerance) for b in one["batches"]) if w]
        if wrong:
            verdicts += [Verdict(False, f"{name} {fault}") for fault in wrong]
        else:
            sizes = ", ".join(str(batch["size"]) for batch in one["batches"])
            verdicts.append(Verdict(True, f"{name} answers batches of {sizes}"))
    return verdicts


def _batch_fault(batch: Mapping[str, Any], tolerance: float) -> str:
    what = f"with a batch of {batch['size']}"
    if batch["error"]:
        return f"fails {what}: {batch['error']}"
    if batch["rows"] != batch["size"]:
        rows = "outputs of different lengths" if batch["rows"] is None else f"{batch['rows']} rows"
        return f"gives {rows} {what}"
    if not batch["finite"]:
        return f"gives numbers that are not finite {what}"
    if batch["difference"] > tolerance:
        return (
            f"answers the same example otherwise {what}, by {batch['difference']:.2g}, "
            f"at most {tolerance:g}"
        )
    return ""


def judge_finite(name: str, outputs: Mapping[str, np.ndarray]) -> list[Verdict]:
    """Whether all numbers that a signature gives are finite."""
    verdicts = []
    for key, value in outputs.items():
        if not np.issubdtype(value.dtype, np.floating):
            continue
        bad = int((~np.isfinite(value.reshape(len(value), -1))).any(axis=1).sum())
        if bad:
            said = f"{name} gives {key} that are not finite, for {bad} of {len(value)} examples"
            verdicts.append(Verdict(False, said))
    return verdicts


def judge_parity(
    name: str,
    outputs: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    label: LabelConfig,
    tolerance: float,
) -> tuple[list[Verdict], Parity | None]:
    """Whether a signature answers as the training path did.

    Returns:
        The verdicts and the figures; none where they have no output in common,
        which only `serving_default` must have.
    """
    far = compare(outputs, expected, label, tolerance)
    if not far.compared:
        if name != DEFAULT:
            return [], None
        wanted = ", ".join(sorted(expected))
        said = f"{name} gives {', '.join(sorted(outputs))}, and none of {wanted}"
        return [Verdict(False, said)], None
    count = len(next(iter(expected.values())))
    parity = Parity(
        signature=name,
        examples=count,
        largest_difference=far.largest,
        other_labels=far.other_labels,
    )
    said = f"{name} answers {count:,} eval examples"
    faults = []
    if not far.classes:
        faults.append(f"{name} has its classes in another order than the training path")
    if far.largest > tolerance:
        faults.append(
            f"{said} otherwise than the training path, by up to {far.largest:.2g}, "
            f"at most {tolerance:g}"
        )
    if far.other_labels:
        faults.append(
            f"{name} labels {far.other_labels:,} of {count:,} eval examples otherwise than the "
            "training path"
        )
    if faults:
        return [Verdict(False, fault) for fault in faults], parity
    passed = f"{said} as the training path, within {far.largest:.2g}, at most {tolerance:g}"
    return [Verdict(True, passed)], parity


def judge_latency(
    measured: Iterable[Mapping[str, Any]], config: ValidateConfig
) -> tuple[list[Verdict], tuple[Latency, ...]]:
    """Whether calls are fast enough, where the config has a limit; and the figures."""
    budgets = {1: config.latency.batch_1, 32: config.latency.batch_32}
    verdicts, figures = [], []
    for one in measured:
        size = one["batch"]
        if one["error"]:
            verdicts.append(Verdict(False, f"a batch of {size} cannot be timed: {one['error']}"))
            continue
        times = one["milliseconds"]
        median, high = (round(float(np.percentile(times, share)), 3) for share in (50, 95))
        figures.append(Latency(batch=size, calls=len(times), p50_ms=median, p95_ms=high))
        limits = (budgets[size].p50_ms, budgets[size].p95_ms)
        for word, took, limit in zip(
            ("median", "95th percentile"), (median, high), limits, strict=True
        ):
            if limit is not None:
                said = f"a batch of {size} takes {took:,.1f} ms ({word}), at most {limit:,g}"
                verdicts.append(Verdict(took <= limit, said))
    return verdicts, tuple(figures)
