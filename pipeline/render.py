"""Shows a summary to a person, in 80 columns.

A new table is a function here and a line in `render_summary`; what is said in words is in facts.py.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from components.exporter.report import Export, Measured
from components.gate.config import DEFAULTS, METRICS
from components.gate.report import ReliabilityBin
from pipeline.facts import SHOWN, facts_of, figure, near
from pipeline.summary import ClassMetrics, Summary

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
    for label, lines in facts_of(summary):
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
        table.add_row(split, f"{examples:,}", *(figure(metrics.get(name)) for name in names))
    return table


def _classes(summary: Summary) -> Table | None:
    """The classes that are recognised least well; those without examples say nothing."""
    split = next((name for name in ("test", "eval") if summary.classes.get(name)), None)
    if split is None:
        return None
    classes = [one for one in summary.classes[split] if one.examples]
    worst = sorted(classes, key=_quality)[:SHOWN]
    shown = f"hardest {len(worst)} of {len(classes)}" if len(worst) < len(classes) else "class"
    table = _table(f"{split}: {shown}", "Examples", "Precision", "Recall")
    confusions = summary.confusions.get(split, ())
    if confusions:
        table.add_column("Taken for", overflow="ellipsis", no_wrap=True, max_width=28)
    for one in worst:
        taken = [pair for pair in confusions if pair.actual == one.name]
        taken.sort(key=lambda pair: -pair.count)
        others = ", ".join(f"{pair.predicted} ({pair.count})" for pair in taken[:2])
        figures = (figure(one.precision), figure(one.recall))
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
    worst = sorted(slices, key=lambda one: sign * one.metrics.get(headline.name, 0.0))[:SHOWN]
    shown = f"hardest {len(worst)} of {len(slices)}" if len(worst) < len(slices) else "slice"
    names = [name for name in METRICS if any(name in one.metrics for one in worst)]
    names = sorted(names, key=lambda name: name != headline.name)[:_SLICE_METRICS]
    table = _table(f"eval: {shown}", *(METRICS[name].title for name in names))
    for one in worst:
        what = ", ".join(f"{key} = {value}" for key, value in one.slice.items())
        table.add_row(Text(what), *(figure(one.metrics.get(name)) for name in names))
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
        table.add_row(between, f"{count:,}", *map(figure, means))
    return table


def _quarantine(summary: Summary) -> Table | None:
    if not summary.quarantined:
        return None
    table = _table(f"Set aside: {summary.quarantined:,}", "Reason", texts=2)
    for one in summary.quarantine[:SHOWN]:
        table.add_row(Text(one.source), Text(one.reason))
    if summary.quarantined > SHOWN:
        where = near(summary.quarantine_file) if summary.quarantine_file else "quarantine.jsonl"
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
            figure(one.value),
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
