"""Follows a run on a platform until it ends, and tells each task's beginning and end."""

import time
from collections.abc import Callable, Mapping

from pipeline.submit.platform import (
    ENDED,
    Platform,
    Progress,
    RunFailedError,
    Started,
    State,
    Task,
    UnreachableError,
)
from preprocessing.errors import UsageError
from preprocessing.progress import note, stage

POLL_SECONDS = 5.0
# A network that comes and goes is no reason to give up a run of hours.
MAX_SILENT_POLLS = 60

_SHOWN: Mapping[State, str] = {
    "succeeded": "run",
    "cached": "cached",
    "failed": "failed",
    "cancelled": "failed",
}


def wait(
    platform: Platform, run: Started, sleep: Callable[[float], object] = time.sleep
) -> Progress:
    """Waits until a run has succeeded.

    Args:
        platform: That has the run.
        run: What it started.
        sleep: Waits between two looks.

    Returns:
        The run as it ended.

    Raises:
        RunFailedError: It ended otherwise; the message names the task.
        UsageError: The platform stopped answering, or does not let us look any more;
            the run may go on.
    """
    told: dict[str, Task] = {}
    silent = 0
    while True:
        try:
            progress = platform.look(run)
            silent = 0
        except UsageError as error:
            silent += 1
            # A token that is valid no longer will not be so by being shown again.
            if silent >= MAX_SILENT_POLLS or not isinstance(error, UnreachableError):
                raise type(error)(f"{error}\n  The run may go on: {run.url}") from None
            if silent == 1:
                note(f"no answer, asking again: {str(error).splitlines()[0]}")
            sleep(POLL_SECONDS)
            continue
        _tell(progress.tasks, told)
        if progress.state in ENDED:
            _check_succeeded(progress, run)
            return progress
        sleep(POLL_SECONDS)


def _tell(tasks: Mapping[str, Task], told: dict[str, Task]) -> None:
    """Reports what has changed since the last time."""
    for name, task in tasks.items():
        before = told.get(name)
        if task.state == "waiting" or (before is not None and before.state == task.state):
            continue
        if before is None:
            stage(name, "started")
        if task.state in ENDED:
            stage(name, _SHOWN[task.state], task.seconds)
        told[name] = task


def _check_succeeded(progress: Progress, run: Started) -> None:
    if progress.state in ("succeeded", "cached"):
        return
    failed = [(name, task) for name, task in progress.tasks.items() if task.state == "failed"]
    if progress.state == "cancelled":
        what = "The run was cancelled"
    elif failed:
        what = f"The run failed in {', '.join(name for name, _ in failed)}"
    else:
        what = "The run failed before any task did"
    reasons = [task.error for _, task in failed if task.error] or [progress.error]
    lines = [line for reason in reasons for line in reason.strip().splitlines()[:5]]
    raise RunFailedError("\n".join((what, *(f"  {line}" for line in lines), f"  See: {run.url}")))
