"""Runs the plan, a run at a time, and writes each down at once."""

import datetime
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.speed.estimate import estimate
from benchmarks.speed.jobs import Job
from benchmarks.speed.measure import Usage
from benchmarks.speed.runs import Run, append_run, finished
from benchmarks.speed.start import start
from benchmarks.speed.workplace import Workplace


class Session:
    """One sitting: what is to be done, in how much time.

    Args:
        place: Inputs and folders.
        file: Where runs are written.
        earlier: Runs that are there already.
        pass_seconds: What one picture may take; see `estimate`.
        budget_s: Ends before a run that would not fit any more; None without limit.
        long_s: A run expected to take longer is made in the first repeat alone.
    """

    def __init__(
        self,
        place: Workplace,
        file: Path,
        earlier: Iterable[Run],
        pass_seconds: float,
        budget_s: float | None = None,
        long_s: float | None = None,
    ) -> None:
        self._place, self._file = place, file
        self._runs = list(earlier)
        self._pass_seconds, self._budget, self._long = pass_seconds, budget_s, long_s

    def todo(self, jobs: Sequence[Job]) -> list[Job]:
        """Leaves out what is done, and repeats of what takes long."""
        done = finished(self._runs)
        return [job for job in jobs if job.key not in done and not self._is_too_long(job)]

    def seconds(self, jobs: Sequence[Job]) -> float:
        """Estimates how long some jobs will take."""
        return sum(self._estimate(job) for job in jobs)

    def run(self, jobs: Sequence[Job]) -> list[Job]:
        """Runs what is to be done.

        Args:
            jobs: The plan.

        Returns:
            The jobs that did not fit into the budget.
        """
        started = time.monotonic()
        left_out = []
        todo = self.todo(jobs)
        for number, job in enumerate(todo, 1):
            # Once more, for runs that ended meanwhile have made estimates better.
            expected = self._estimate(job)
            spent = time.monotonic() - started
            if self._budget is not None and spent + expected > self._budget:
                left_out.append(job)
                continue
            if self._is_too_long(job):
                continue
            _say(f"{number}/{len(todo)}  {job.title}, about {expected:.0f} s …")
            self._one(job)
        return left_out

    def _one(self, job: Job) -> None:
        at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        load = os.getloadavg()[0]
        try:
            run = start(job, self._place)
        except (OSError, ValueError) as error:
            nothing = Usage(1, 0.0, 0.0, 0.0, 0.0, 0)
            run = Run(job, nothing, failure=f"{type(error).__name__}: {error}")
        run = Run(**{**vars(run), "load": round(load, 2), "at": at})
        append_run(run, self._file)
        self._runs.append(run)
        used = run.usage
        told = run.failure or f"{used.cpu_s:.1f} s CPU, {used.peak_mb:.0f} MB"
        _say(f"    {used.wall_s:.1f} s, {told}")

    def _estimate(self, job: Job) -> float:
        return estimate(job, self._runs, self._pass_seconds)

    def _is_too_long(self, job: Job) -> bool:
        return self._long is not None and job.repeat > 1 and self._estimate(job) > self._long


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
