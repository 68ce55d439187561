"""Shows a summary to a person, in 80 columns.

A new part of the summary is a function here and a line in `render_summary`.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from components.exporter.report import Export, Measured
from components.gate.config import DEFAULTS, METRICS
from components.gate.report import ReliabilityBin
from components.serving_validator.report import ServingReport
from pipeline.summary import ClassMetrics, PredictedRows, Summary

# A person reads a few; summary.json holds all.
_SHOWN = 5
# Of a slice, whose name needs room: its headline metric and two more.
_SLICE_METRICS = 3
# Of a reliability table.
_RELIABILITY_ROWS = 5
# More metrics than these stand closer together, to fit into 80 columns.
_ROOMY = 6


def render_summary(summary: Summary, console: Console, *, components: bool = True) -> None:
    """Writes the outcome of a run: what came in, what it took, how good it is, where it is.

    Args:
        summary: The run.
        console: Where to write.
        components: Whether to list the components; False where the progress
            display has just done so.
    """
    console.print()
    console.print(_headline(summary), soft_wrap=True)
    for table in (
        _components(summary) if components else None,
        _splits(summary),
        _classes(summary),
        _slices(summary),
        _reliability(summary),
        _quarantine(summary),
        _exports(summary),
        _predictions(summary),
    ):
        if table is not None:
            console.print()
            console.print(Padding(table, (0, 0, 0, 2), expand=False))
    console.print()
    for label, lines in _facts(summary):
        for position, line in enumerate(lines):
            text = Text("  ").append(f"{'' if position else label:<12}", style="bold")
            console.print(text.append(line), soft_wrap=True, highlight=False)


def _headline(summary: Summary) -> Text:
    if not summary.blessed:
        verdict = Text("not blessed, not pushed", style="bold red")
    elif summary.held_back:
        verdict = Text("blessed, not pushed", style="bold yellow")
    elif summary.pushed is None:
        verdict = Text("blessed", style="bold green")
    else:
        verdict = Text("blessed and pushed", style="bold green")
    return Text(f"{summary.name}, run {summary.run_id}: ", style="bold").append_text(verdict)


def _table(*headers: str, texts: int = 1) -> Table:
    """Makes a table of which the first `texts` columns are text and the others numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for position, header in enumerate(headers):
        number = position >= texts
        side: JustifyMethod = "right" if number else "left"
        # Where it is too narrow, texts are folded and numbers are not.
        table.add_column(header, justify=side, overflow="fold", no_wrap=number)
    return table


def _components(summary: Summary) -> Table:
    table = _table("Component", "Time")
    table.add_column("", min_width=len("cached"))
    for component in summary.components:
        state = "" if component.state == "run" else component.state
        table.add_row(component.name, f"{component.seconds:.1f} s", Text(state, style="cyan"))
    return table


def _splits(summary: Summary) -> Table:
    given = {name for metrics in summary.metrics.values() for name in metrics}
    names = [name for name in METRICS if name in given]
    table = _table("Split", "Examples", *(METRICS[name].title for name in names))
    if len(names) > _ROOMY:
        table.padding = (0, 2, 0, 0)
    for split, examples in summary.examples.items():
        metrics = summary.metrics.get(split, {})
        table.add_row(split, f"{examples:,}", *(_figure(metrics.get(name)) for name in names))
    return table


def _classes(summary: Summary) -> Table | None:
    """The classes that are recognised least well; those without examples say nothing."""
    split = next((name for name in ("test", "eval") if summary.classes.get(name)), None)
    if split is None:
        return None
    classes = [one for one in summary.classes[split] if one.examples]
    worst = sorted(classes, key=_quality)[:_SHOWN]
    shown = f"hardest {len(worst)} of {len(classes)}" if len(worst) < len(classes) else "class"
    table = _table(f"{split}: {shown}", "Examples", "Precision", "Recall")
    confusions = summary.confusions.get(split, ())
    if confusions:
        table.add_column("Taken for", overflow="ellipsis", no_wrap=True, max_width=28)
    for one in worst:
        taken = [pair for pair in confusions if pair.actual == one.name]
        taken.sort(key=lambda pair: -pair.count)
        others = ", ".join(f"{pair.predicted} ({pair.count})" for pair in taken[:2])
        figures = (_figure(one.precision), _figure(one.recall))
        cells = [*figures, Text(others)] if confusions else [*figures]
        table.add_row(Text(one.name), f"{one.examples:,}", *cells)
    return table


def _quality(one: ClassMetrics) -> float:
    """F1 of a class, 0 where it cannot be computed."""
    precision, recall = one.precision or 0.0, one.recall or 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _slices(summary: Summary) -> Table | None:
    """The slices that are done least well, on the split that the gate looks at."""
    slices = summary.slices.get("eval", ())
    if not slices:
        return None
    headline = METRICS[next(iter(DEFAULTS[summary.task]))]
    sign = 1 if headline.higher_is_better else -1
    worst = sorted(slices, key=lambda one: sign * one.metrics.get(headline.name, 0.0))[:_SHOWN]
    shown = f"hardest {len(worst)} of {len(slices)}" if len(worst) < len(slices) else "slice"
    names = [name for name in METRICS if any(name in one.metrics for one in worst)]
    names = sorted(names, key=lambda name: name != headline.name)[:_SLICE_METRICS]
    table = _table(f"eval: {shown}", *(METRICS[name].title for name in names))
    for one in worst:
        what = ", ".join(f"{key} = {value}" for key, value in one.slice.items())
        table.add_row(Text(what), *(_figure(one.metrics.get(name)) for name in names))
    return table


def _reliability(summary: Summary) -> Table | None:
    """Whether what is said with some confidence comes true as often."""
    split = next((name for name in ("test", "eval") if summary.reliability.get(name)), None)
    if split is None:
        return None
    table = _table(f"{split}: said with", "Times", "On average", "Came true")
    rows: dict[int, list[ReliabilityBin]] = {}
    for one in summary.reliability[split]:
        row = min(_RELIABILITY_ROWS - 1, int(one.confidence * _RELIABILITY_ROWS))
        rows.setdefault(row, []).append(one)
    for row, bins in sorted(rows.items()):
        count = sum(one.count for one in bins)
        means = (
            sum(one.count * getattr(one, name) for one in bins) / count
            for name in ("confidence", "accuracy")
        )
        between = f"{row / _RELIABILITY_ROWS:.1f} to {(row + 1) / _RELIABILITY_ROWS:.1f}"
        table.add_row(between, f"{count:,}", *map(_figure, means))
    return table


def _quarantine(summary: Summary) -> Table | None:
    if not summary.quarantined:
        return None
    table = _table(f"Set aside: {summary.quarantined:,}", "Reason", texts=2)
    for one in summary.quarantine[:_SHOWN]:
        table.add_row(Text(one.source), Text(one.reason))
    if summary.quarantined > _SHOWN:
        where = _near(summary.quarantine_file) if summary.quarantine_file else "quarantine.jsonl"
        table.add_row("...", f"all of them: {where}")
    return table


def _exports(summary: Summary) -> Table | None:
    """The model that was exported, and below it what was made of it."""
    report = summary.exports
    if report is None:
        return None
    title = METRICS[report.metric].title if report.metric else "Value"
    table = _table("Export", "", "MB", f"eval: {title}", "Difference", "ms (p50)", "p95", texts=2)
    rows: list[Measured] = [report.saved_model, *report.exports]
    for one in rows:
        name, state, difference = "SavedModel", "", None
        if isinstance(one, Export):
            name, state, difference = one.format, one.state, one.difference
        table.add_row(
            name,
            Text(state, style="red" if state == "refused" else "green"),
            f"{one.bytes / 1e6:.1f}" if one.bytes else "-",
            _figure(one.value),
            "-" if difference is None else f"{difference:+.4f}",
            f"{one.latency.p50:.1f}" if one.latency else "-",
            f"{one.latency.p95:.1f}" if one.latency else "-",
        )
    return table


def _predictions(summary: Summary) -> Table | None:
    if not summary.predictions:
        return None
    table = _table("The pushed model says", "Prediction", "Probability", "Truth", texts=2)
    for one in summary.predictions:
        style = "green" if one.predicted == one.actual else "red"
        answer = Text(one.predicted, style=style)
        table.add_row(Text(one.source), answer, f"{one.probability:.3f}", Text(one.actual))
    return table


def _facts(summary: Summary) -> Iterable[tuple[str, list[str]]]:
    refused = [*_serving_failures(summary)]
    yield "Blessed" if summary.blessed else "Not blessed", [*_reasons(summary), *refused]
    yield "Baseline", [summary.baseline]
    if summary.notes:
        yield "Data", [*summary.notes]
    if summary.missing:
        yield "Missing", [_counts(*one) for one in summary.missing.items()]
    if summary.truncated:
        yield "Cut short", [_counts(*one) for one in summary.truncated.items()]
    if summary.anomalies:
        yield "Anomalies", [*summary.anomalies]
    if summary.tuned:
        yield "Tuned", [f"{key}: {value}" for key, value in sorted(summary.tuned.items())]
    if summary.serving is not None and not refused:
        yield "As served", [*_serving(summary.serving)]
    if summary.pushed is not None:
        yield "Pushed", [_near(f"{summary.pushed.path}/{summary.pushed.version}"), *_push(summary)]
    elif summary.model:
        yield "Model", [_near(summary.model)]
    if summary.held_back:
        yield "Not pushed", [summary.held_back]
    reasons = [one for one in summary.exports.exports if one.reason] if summary.exports else []
    if reasons:
        yield "Exports", [f"{one.format}: {one.state}: {one.reason}" for one in reasons]
    if summary.predicted is not None:
        yield "Predicted", [*_predicted(summary.predicted)]
    if summary.tensorboard:
        board = f"tensorboard --logdir {_near(summary.tensorboard)}"
        yield "Training", [*_course(summary), *summary.training_notes, board]
    memory = summary.peak_memory_mb
    peak = "" if memory is None else f", {memory / 1000:.1f} GB of memory at most"
    yield "Took", [f"{summary.seconds:.1f} s{peak}"]
    yield "Log", [_near(summary.log)]
    if summary.pushed is not None:
        yield "Serve it", [f"graft serve {shlex.quote(_near(summary.pushed.path))}"]


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
        if line not in failed[_SHOWN:]:
            yield line
        elif line == failed[_SHOWN]:
            yield f"... and {len(failed) - _SHOWN} more on slices: gate in summary.json"


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
    yield f"{rows.rows:,} rows: {_near(rows.path)}"
    if rows.quarantine_file:
        yield f"{rows.quarantined:,} set aside: {_near(rows.quarantine_file)}"


def _counts(feature: str, splits: Mapping[str, int]) -> str:
    """Such as `brand: 12 in train, 1 in eval`."""
    return f"{feature}: " + ", ".join(f"{n:,} in {split}" for split, n in splits.items() if n)


def _course(summary: Summary) -> list[str]:
    """From where to where the eval loss went."""
    losses = summary.history.get("eval_loss", [])
    if not losses:
        return []
    best = losses.index(min(losses)) + 1
    return [
        f"{len(losses)} epochs, eval loss {_figure(losses[0])} at first, "
        f"{_figure(min(losses))} at best (epoch {best})"
    ]


def _near(path: str) -> str:
    """The path from here, where that is shorter."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 10_000 else f"{value:,.0f}"


def render_checks(checks: Sequence[Any], console: Console) -> None:
    """Writes what `graft doctor` found, with the mending command below what is wrong."""
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    width = max(len(check.name) for check in checks)
    for check in checks:
        status = Text(f"{check.status:<5}", style=colours[check.status])
        name = Text(f" {check.name:<{width}}  ", style="bold")
        console.print(status + name + Text(check.found), soft_wrap=True, highlight=False)
        if check.mend:
            mend = Text(f"{'':6}mend it: {check.mend}", style="cyan")
            console.print(mend, soft_wrap=True, highlight=False)


def render_handles(kinds: Iterable[Any], console: Console) -> None:
    """Writes the handle kinds of trainer/backbones/handles.py."""
    for kind in kinds:
        console.print(Text(kind.form, style="bold"), highlight=False)
        console.print(Padding(Text(kind.meaning), (0, 0, 0, 2), expand=False))
        for example in kind.examples:
            console.print(Text(f"  {example}", style="cyan"), soft_wrap=True, highlight=False)
        console.print()
