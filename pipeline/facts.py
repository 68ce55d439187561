"""What a summary says in words, a label and its lines each; render.py shows it.

A new line is a `yield` in `facts_of`.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.serving_validator.report import ServingReport
from pipeline.summary import PredictedRows, SpanUse, Summary

# A person reads a few; summary.json holds all.
SHOWN = 5


def facts_of(summary: Summary) -> Iterable[tuple[str, list[str]]]:
    """Says what a run came to.

    Args:
        summary: The run.

    Yields:
        A label of at most eleven letters, and its lines; what there is nothing
        to say of is left out.
    """
    refused = [*_serving_failures(summary)]
    yield "Blessed" if summary.blessed else "Not blessed", [*_reasons(summary), *refused]
    yield "Baseline", [summary.baseline]
    if summary.resumed:
        yield "Resumed", [summary.resumed]
    if summary.spans:
        yield "Spans", [_spans(summary.spans)]
    if summary.notes:
        yield "Data", [*summary.notes]
    if summary.missing:
        yield "Missing", [_counts(*one) for one in summary.missing.items()]
    if summary.truncated:
        yield "Cut short", [_counts(*one) for one in summary.truncated.items()]
    if summary.vectors:
        yield "Vectors", [*_vectors(summary), *summary.vector_notes]
    if summary.anomalies:
        yield "Anomalies", [*summary.anomalies]
    if summary.tuned:
        yield "Tuned", [f"{key}: {value}" for key, value in sorted(summary.tuned.items())]
    if summary.serving is not None and not refused:
        yield "As served", [*_serving(summary.serving)]
    if summary.pushed is not None:
        yield "Pushed", [near(f"{summary.pushed.path}/{summary.pushed.version}"), *_push(summary)]
    elif summary.model:
        yield "Model", [near(summary.model)]
    if summary.held_back:
        yield "Not pushed", [summary.held_back]
    reasons = [one for one in summary.exports.exports if one.reason] if summary.exports else []
    if reasons:
        yield "Exports", [f"{one.format}: {one.state}: {one.reason}" for one in reasons]
    if summary.predicted is not None:
        yield "Predicted", [*_predicted(summary.predicted)]
    if summary.tensorboard:
        board = f"tensorboard --logdir {near(summary.tensorboard)}"
        yield "Training", [*_course(summary), *summary.training_notes, board]
    memory = summary.peak_memory_mb
    peak = "" if memory is None else f", {memory / 1000:.1f} GB of memory at most"
    yield "Took", [f"{summary.seconds:.1f} s{peak}"]
    yield "Log", [near(summary.log)]
    if summary.pushed is not None:
        yield "Serve it", [f"graft serve {shlex.quote(near(summary.pushed.path))}"]


def _push(summary: Summary) -> Iterable[str]:
    """What the version holds, and what it takes a server to load it."""
    pushed = summary.pushed
    if pushed is not None and pushed.bytes is not None:
        line = f"{pushed.files} files, {pushed.bytes / 1e6:.1f} MB"
        if pushed.load_seconds is not None:
            line += (
                f"; loaded in a new process, with {pushed.warmup_requests} warm-up requests, "
                f"in {pushed.load_seconds:.1f} s"
            )
        yield line


def _reasons(summary: Summary) -> Iterable[str]:
    """The thresholds; of the slices that failed the first few."""
    judgements = summary.gate.judgements if summary.gate else ()
    failed = [str(one) for one in judgements if one.slice and one.state == "failed"]
    for line in summary.reasons:
        if line not in failed[SHOWN:]:
            yield line
        elif line == failed[SHOWN]:
            yield f"... and {len(failed) - SHOWN} more on slices: gate in summary.json"


def _serving_failures(summary: Summary) -> Iterable[str]:
    serving = summary.serving
    if serving is not None:
        yield from (one for one in serving.reasons if one.startswith("failed"))


def _serving(serving: ServingReport) -> Iterable[str]:
    """How the model did where it was tried as a server would."""
    if not serving.parity:
        yield from serving.reasons
        return
    far = max(one.largest_difference for one in serving.parity)
    examples = max(one.examples for one in serving.parity)
    yield f"within {far:.1e} of the training path on {examples:,} eval examples"
    calls = ", ".join(f"of {one.batch} in {one.p50_ms:.1f} ms" for one in serving.latency)
    yield f"{serving.size_mb:.1f} MB, loaded in {serving.load_seconds:.1f} s; a batch {calls}"
    if serving.text_ops:
        yield f"needs TF-Text in the server: {', '.join(serving.text_ops)}"


def _predicted(rows: PredictedRows) -> Iterable[str]:
    yield f"{rows.rows:,} rows: {near(rows.path)}"
    if rows.quarantine_file:
        yield f"{rows.quarantined:,} set aside: {near(rows.quarantine_file)}"


def _counts(feature: str, splits: Mapping[str, int]) -> str:
    """Such as `brand: 12 in train, 1 in eval`."""
    return f"{feature}: " + ", ".join(f"{n:,} in {split}" for split, n in splits.items() if n)


def _spans(spans: tuple[SpanUse, ...]) -> str:
    """Such as `5, 6 kept from earlier runs; 7 new (120 examples)`."""
    kept = ", ".join(_span(one) for one in spans if one.state == "kept")
    new = [f"{_span(one)} new ({one.examples:,} examples)" for one in spans if one.state == "new"]
    said = [f"{kept} kept from earlier runs"] if kept else []
    return "; ".join(said + (new or ["nothing new"]))


def _span(one: SpanUse) -> str:
    return one.name if one.version is None else f"{one.name} (version {one.version})"


def _vectors(summary: Summary) -> Iterable[str]:
    """Such as `19,800 kept from earlier runs, 200 new (12 duplicates)`."""
    for feature, one in summary.vectors.items():
        counts = [f"{one.kept:,} kept from earlier runs"] if one.kept else []
        counts += [f"{one.new:,} new"] if one.new or not one.kept else []
        apart = [f"{one.duplicates:,} duplicates"] if one.duplicates else []
        apart += [f"{one.recomputed:,} kept before, but damaged"] if one.recomputed else []
        line = ", ".join(counts) + (f" ({', '.join(apart)})" if apart else "")
        yield line if len(summary.vectors) == 1 else f"{feature}: {line}"


def _course(summary: Summary) -> list[str]:
    """From where to where the eval loss went."""
    losses = summary.history.get("eval_loss", [])
    if not losses:
        return []
    best = losses.index(min(losses)) + 1
    return [
        f"{len(losses)} epochs, eval loss {figure(losses[0])} at first, "
        f"{figure(min(losses))} at best (epoch {best})"
    ]


def near(path: str) -> str:
    """The path from here, where that is shorter."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def figure(value: float | None) -> str:
    """A figure in three places, `-` where there is none."""
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 10_000 else f"{value:,.0f}"
