"""The file of single runs, one JSON object a line, appended to as each run ends.

A killed benchmark loses nothing but the run that it was in.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.jobs import Job
from benchmarks.speed.measure import Usage


@dataclass(frozen=True)
class Run:
    """One run and what it took.

    Attributes:
        job: Which.
        usage: What was measured from outside.
        input_bytes: Of the pictures or texts.
        left_bytes: On disk when it had ended, inputs left out.
        failure: Why the figures do not count; empty where they do.
        details: What the run says of itself, such as components.
        load: The machine's load average, one minute, before it.
        at: Start, UTC.
    """

    job: Job
    usage: Usage
    input_bytes: int = 0
    left_bytes: int = 0
    failure: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    load: float = 0.0
    at: str = ""


def append_run(run: Run, path: Path) -> None:
    """Adds a run to a file, on a line of its own even after a line that was cut short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cut = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if cut else "") + json.dumps(asdict(run)) + "\n")
        file.flush()


def read_runs(path: Path) -> list[Run]:
    """Reads a file of runs; none where there is no file, and lines cut short are left out."""
    if not path.exists():
        return []
    runs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        content["job"] = Job(**content["job"])
        content["usage"] = Usage(**content["usage"])
        runs.append(Run(**content))
    return runs


def finished(runs: Iterable[Run]) -> dict[str, Run]:
    """Maps the keys of jobs to their runs; failed ones do not count, and the last one wins."""
    return {run.job.key: run for run in runs if not run.failure}
