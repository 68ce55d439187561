"""The runs of a working folder, a line each; imports no TensorFlow.

A new column is a field of `RunLine`, shown by `render_runs`.
"""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.facts import figure
from pipeline.run_record import SUMMARY, Ending, PastRun, folder_of, is_alive, list_runs
from pipeline.summary import Summary, read_summary
from preprocessing.config import Record
from preprocessing.errors import UsageError, explain

_WORKDIR = ".graft"
# A window of a month is said by its ends.
_SPANS = 3


class RunLine(Record):
    """What is known of a run at a glance.

    Attributes:
        run_id: Its id.
        name: The pipeline's.
        begun_at: In UTC.
        ending: How it ended, or that it is going on.
        blessed: None of a run that did not come so far.
        spans: What its data is called, where it has spans, the oldest first.
        examples: By split.
        metric: What the figure is.
        value: On eval.
        version: As it was pushed; None where nothing was.
    """

    run_id: str
    name: str
    begun_at: str
    ending: Ending | Literal["going on"]
    blessed: bool | None = None
    spans: tuple[str, ...] = ()
    examples: dict[str, int] = {}
    metric: str | None = None
    value: float | None = None
    version: int | None = None


def find_runs(place: str | None) -> list[RunLine]:
    """Looks for runs, the oldest first.

    Args:
        place: A config, or a working folder or the folder that it is in; None
            means `.graft` here.

    Raises:
        UsageError: There is no such place, or it is no working folder.
    """
    folder = Path(place or _WORKDIR)
    if folder.is_file():
        from pipeline.config import load_config

        folder = load_config(folder, must_exist=False).local_folder
    elif not (folder / "runs").is_dir() and (folder / _WORKDIR / "runs").is_dir():
        folder /= _WORKDIR
    if not (folder / "runs").is_dir():
        what = "There are no runs: none was begun here, or this is no config and no working folder"
        raise UsageError(explain(what, str(folder), see="graft runs --help"))
    return [_line(one, folder) for one in list_runs(folder)]


def _line(run: PastRun, folder: Path) -> RunLine:
    begun = run.begun
    line = RunLine(
        run_id=begun.run_id,
        name=begun.name,
        begun_at=begun.begun_at,
        ending="going on" if run.ending == "killed" and is_alive(begun) else run.ending,
    )
    try:
        summary = read_summary(folder_of(folder, begun.run_id) / SUMMARY)
    except (OSError, ValidationError):
        return line
    return line.model_copy(update=_outcome(summary) if summary.failure is None else {})


def _outcome(summary: Summary) -> dict[str, object]:
    metric, value = next(iter(summary.metrics.get("eval", {}).items()), (None, None))
    return {
        "blessed": summary.blessed,
        "spans": tuple(one.name for one in summary.spans),
        "examples": summary.examples,
        "metric": metric,
        "value": value,
        "version": summary.pushed.version if summary.pushed else None,
    }


def render_runs(lines: list[RunLine], console: Console) -> None:
    """Shows runs to a person."""
    columns = {
        "Run": [one.run_id for one in lines],
        "Pipeline": [one.name for one in lines],
        "Spans": [_window(one.spans) for one in lines],
        "Examples": [f"{sum(one.examples.values()):,}" if one.examples else "-" for one in lines],
        "On eval": [f"{one.metric} {figure(one.value)}" if one.metric else "-" for one in lines],
        "Ended": [
            {True: "blessed", False: "not blessed", None: one.ending}[one.blessed] for one in lines
        ],
        "Version": [str(one.version or "-") for one in lines],
    }
    # Configs side by side share a working folder; most have a folder, and no spans.
    if len(set(columns["Pipeline"])) < 2:
        del columns["Pipeline"]
    if not any(columns["Spans"]):
        del columns["Spans"]
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for header in columns:
        right = header in ("Examples", "Version")
        table.add_column(header, justify="right" if right else "left", no_wrap=header == "Run")
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, cells))
    console.print(table)


def _window(spans: tuple[str, ...]) -> str:
    if len(spans) <= _SPANS:
        return ", ".join(spans)
    return f"{spans[0]} … {spans[-1]} ({len(spans)})"
