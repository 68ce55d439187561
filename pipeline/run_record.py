"""That a run has begun, in begun.json, and which run of a working folder ended early.

A run that is killed leaves no summary.json, so something has to be there from its
first moment. Imports no TensorFlow. What a later run must know of an earlier one
is a field of `Begun`.
"""

import datetime
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from pipeline.config import Config
from pipeline.scratch import place_of
from preprocessing.config import Record

BEGUN, SUMMARY = "begun.json", "summary.json"

Ending = Literal["killed", "failed", "stopped", "through"]


class Begun(Record):
    """A run, as it was begun."""

    run_id: str
    name: str = Field(description="the pipeline's")
    begun_at: str = Field(description="in UTC")
    pid: int
    host: str
    process_started: int | None = Field(
        None, description="in ticks, which tell the process from a later one of the same number"
    )
    cache: bool = Field(description="false with --no-cache")
    rebaseline: bool
    scratch: str = Field("", description="its temporary folder, which goes when it ends")
    resumed: str | None = Field(None, description="the run that this one goes on with")
    config_digest: str
    config: dict[str, Any] = Field(description="the effective one, paths resolved")


class PastRun(NamedTuple):
    """A run of a working folder, and how it ended.

    Attributes:
        begun: What was known at its start.
        ending: `killed` without a summary, `stopped` by Ctrl-C, `failed`, or `through`.
        chain: Its id, that of the run that it went on with, and so on.
    """

    begun: Begun
    ending: Ending
    chain: tuple[str, ...]


def write_begun(
    config: Config, run_id: str, *, cache: bool, rebaseline: bool, resumed: str | None
) -> Begun:
    """Writes that a run has begun, whole or not at all.

    Args:
        config: The checked config.
        run_id: The run.
        cache: Whether finished work is taken over.
        rebaseline: Whether the gate sets the last blessed model aside.
        resumed: The run that it goes on with.
    """
    begun = Begun(
        run_id=run_id,
        name=config.name,
        begun_at=datetime.datetime.now(datetime.timezone.utc).isoformat(),
        pid=os.getpid(),
        host=socket.gethostname(),
        process_started=_started_at(os.getpid()),
        cache=cache,
        rebaseline=rebaseline,
        scratch=str(place_of(run_id)),
        resumed=resumed,
        config_digest=config.digest,
        config=config.model_dump(mode="json", by_alias=True),
    )
    path = folder_of(config.local_folder, run_id) / BEGUN
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"{BEGUN}.part")
    staged.write_text(begun.model_dump_json(indent=2) + "\n", encoding="utf-8")
    staged.replace(path)
    return begun


def folder_of(workdir: str | Path, run_id: str) -> Path:
    """Where a run's begun.json and summary.json stand."""
    return Path(workdir) / "runs" / run_id


def list_runs(workdir: str | Path) -> list[PastRun]:
    """Lists the runs of a working folder, the oldest first.

    One whose begun.json is missing, being older than that file, or cannot be
    read, is left out.

    Args:
        workdir: May not exist yet.
    """
    found: list[tuple[Begun, Ending]] = []
    for path in (Path(workdir) / "runs").glob(f"*/{BEGUN}"):
        try:
            begun = Begun.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            continue
        found.append((begun, _ending(path.with_name(SUMMARY))))
    runs: dict[str, PastRun] = {}
    for begun, ending in sorted(found, key=lambda run: run[0].begun_at):
        before = runs.get(begun.resumed or "")
        runs[begun.run_id] = PastRun(
            begun, ending, (begun.run_id, *(before.chain if before else ()))
        )
    return list(runs.values())


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Compares two configs.

    Args:
        before: A config as JSON.
        now: Another.

    Returns:
        Of each dotted key whose value differs both values as JSON; `nothing`
        where a key is only in one.
    """
    old, new = _flatten(before), _flatten(now)
    keys = [*old, *(key for key in new if key not in old)]
    pairs = {key: (old.get(key, "nothing"), new.get(key, "nothing")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _flatten(value: Any, key: str = "") -> dict[str, str]:
    if not isinstance(value, Mapping) or not value:
        return {key: json.dumps(value, sort_keys=True)}
    return {
        inner: text
        for name, one in value.items()
        for inner, text in _flatten(one, f"{key}.{name}" if key else str(name)).items()
    }


def is_alive(begun: Begun) -> bool:
    """Whether the process of a run is still there, and no other under its number.

    Args:
        begun: The run; of one that another machine runs nothing is known, so no.
    """
    if begun.host != socket.gethostname():
        return False
    now = _started_at(begun.pid)
    return now is not None and begun.process_started in (None, now)


def _started_at(pid: int) -> int | None:
    """When a process began, in the kernel's ticks; None where it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # Its name, in brackets, may hold anything; then come state, …, and as the 22nd field this.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def _ending(summary: Path) -> Ending:
    try:
        failure = json.loads(summary.read_text(encoding="utf-8")).get("failure")
    except (OSError, ValueError):
        return "killed"
    if failure is None:
        return "through"
    return "stopped" if failure == "KeyboardInterrupt" else "failed"
