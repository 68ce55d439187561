"""Shows on a terminal, or in plain lines, what preprocessing/progress.py reports."""

import logging
import time
from typing import IO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

_WIDTH = 18
_COLOURS = {"run": "green", "cached": "cyan", "failed": "red"}
_MARKS = {"run": "✓", "cached": "↺", "failed": "✗"}
_ASCII_MARKS = {"run": "+", "cached": "=", "failed": "x"}


def make_handler(stream: IO[str], line_seconds: float) -> logging.Handler:
    """Makes the handler that suits a stream: bars on a terminal, lines elsewhere.

    Args:
        stream: Where to write.
        line_seconds: Lines of one stage come no more often than this.

    Returns:
        A handler for `preprocessing.progress.LOGGER`.
    """
    console = Console(file=stream)
    return BarHandler(console) if console.is_terminal else LineHandler(stream, line_seconds)


class ProgressHandler(logging.Handler):
    """Sorts the records of preprocessing/progress.py; subclasses show them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Shows one record; a terminal that has gone away stops no run."""
        fields = vars(record)
        name, state = fields.get("graft_stage"), fields.get("graft_state")
        try:
            if "graft_note" in fields:
                self.show_note(fields["graft_note"])
            if name is None:
                return
            if state is None:
                unit = fields["graft_unit"]
                self.show_report(name, fields["graft_done"], fields["graft_total"], unit)
            elif state == "started":
                self.show_start(name)
            else:
                self.show_end(name, state, fields["graft_seconds"])
        except OSError:
            return

    def show_start(self, name: str) -> None:
        """A stage has begun."""
        raise NotImplementedError

    def show_report(self, name: str, done: int, total: int, unit: str) -> None:
        """A stage works; `total` is 0 when not known."""
        raise NotImplementedError

    def show_end(self, name: str, state: str, seconds: float | None) -> None:
        """A stage has ended."""
        raise NotImplementedError

    def show_note(self, text: str) -> None:
        """Something is to be known, whatever runs."""
        raise NotImplementedError


class BarHandler(ProgressHandler):
    """Draws a bar for each stage that works and leaves a line for each that has ended."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._marks = _ASCII_MARKS if console.options.ascii_only else _MARKS
        self._progress = Progress(
            SpinnerColumn("line" if console.options.ascii_only else "dots"),
            TextColumn("{task.description}", table_column=Column(min_width=_WIDTH - 1)),
            TimeElapsedColumn(),
            BarColumn(bar_width=20, complete_style="green"),
            TextColumn("{task.fields[counts]}"),
            console=console,
            transient=True,
            # What libraries print belongs into the log, not above the bars.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def show_start(self, name: str) -> None:
        """Adds a bar that only moves."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, counts="")

    def show_report(self, name: str, done: int, total: int, unit: str) -> None:
        """Moves the stage's bar."""
        self.show_start(name)
        counts = _counts(done, total, unit)
        self._progress.update(self._tasks[name], completed=done, total=total or None, counts=counts)

    def show_end(self, name: str, state: str, seconds: float | None) -> None:
        """Puts a line in the bar's place."""
        task = self._tasks.pop(name, None)
        if task is not None:
            self._progress.remove_task(task)
        mark, colour = self._marks.get(state, "-"), _COLOURS.get(state, "default")
        text = f"[{colour}]{mark}[/] {name:<{_WIDTH}}{_ending(state, seconds)}"
        self._console.print(text, highlight=False)

    def show_note(self, text: str) -> None:
        """Leaves a line."""
        self._console.print(text, highlight=False, markup=False)

    def close(self) -> None:
        """Takes the bars away; the lines stay."""
        self._progress.stop()
        super().close()


class LineHandler(ProgressHandler):
    """Writes plain lines, for pipes and the logs of CI."""

    def __init__(self, stream: IO[str], line_seconds: float) -> None:
        super().__init__()
        self._stream = stream
        self._line_seconds = line_seconds
        self._last: dict[str, float] = {}

    def show_start(self, name: str) -> None:
        """Writes a line at once."""
        self._last[name] = time.monotonic()
        self._stream.write(f"{name}: started\n")

    def show_report(self, name: str, done: int, total: int, unit: str) -> None:
        """Writes a line unless the last one is too recent."""
        now = time.monotonic()
        if now - self._last.get(name, -self._line_seconds) >= self._line_seconds:
            self._last[name] = now
            self._stream.write(f"{name}: {_counts(done, total, unit)}\n")

    def show_end(self, name: str, state: str, seconds: float | None) -> None:
        """Writes a line at once."""
        word = "finished" if state == "run" else state
        after = "" if seconds is None else f" after {seconds:.1f} s"
        self._stream.write(f"{name}: {word}{after}\n")

    def show_note(self, text: str) -> None:
        """Writes it at once."""
        self._stream.write(f"{text}\n")


def _counts(done: int, total: int, unit: str) -> str:
    return (f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}").rstrip()


def _ending(state: str, seconds: float | None) -> str:
    took = "" if seconds is None else f"{seconds:6.1f} s"
    word = "" if state == "run" else state
    return "  ".join(part for part in (took, word) if part) or "done"
