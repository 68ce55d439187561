"""How each contender is started, and what is read of its output.

Graft's own variants are in start_graft.py. One more contender is a function
here and its line in `STARTS`.
"""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.speed import start_graft
from benchmarks.speed.jobs import Job
from benchmarks.speed.measure import Usage, folder_bytes, measure
from benchmarks.speed.runs import Run
from benchmarks.speed.workplace import (
    ROOT,
    Workplace,
    environ,
    graft,
    left_bytes,
    script,
)

# Too short to be measured once.
COMMAND_REPEATS = 5


def start(job: Job, place: Workplace) -> Run:
    """Runs a job to its end.

    Args:
        job: Which.
        place: Its inputs and folders.

    Returns:
        The run; its `failure` says so where it did not do what it should.
    """
    return STARTS[job.contender](job, place)


def _floor(job: Job, place: Workplace) -> Run:
    pictures = place.sized_pictures(job.size)
    return _script(job, place, pictures, script("floor", pictures, place.backbone))


def _keras(job: Job, place: Workplace) -> Run:
    pictures, folder = place.sized_pictures(job.size), place.fresh("keras")
    options = ("--epochs", job.epochs)
    command = script("keras_script", pictures, place.backbone, folder / "model", *options)
    return _script(job, place, pictures, command, folder)


def _stock(job: Job, place: Workplace) -> Run:
    pictures, records = place.sized_pictures(job.size), place.sized_records(job.size)
    folder = place.fresh("stock")
    command = script("stock_tfx", records, place.backbone, folder, "--epochs", job.epochs)
    return _script(job, place, pictures, command, folder)


def _texts_floor(job: Job, place: Workplace) -> Run:
    table = place.sized_texts(job.size)
    command = script("texts_floor", table, place.text_backbone, place.text_columns[0])
    return _script(job, place, table, command)


def _script(
    job: Job, place: Workplace, inputs: Path, command: list[str], folder: Path | None = None
) -> Run:
    log = place.log(job.key.replace("/", "-"))
    usage = measure(command, log, cwd=ROOT, environ=environ())
    size = inputs.stat().st_size if inputs.is_file() else folder_bytes(inputs)
    left, parts = left_bytes(folder) if folder else (0, {})
    said, failure = _read_last_line(log), ""
    if usage.code:
        failure = f"exit code {usage.code}, see {log}"
    elif said.get("examples", job.size) != job.size:
        failure = f"{said['examples']} of {job.size} examples, see {log}"
    return Run(job, usage, size, left, failure, {**said, "left": parts})


def _read_last_line(log: Path) -> dict[str, Any]:
    for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        if line.startswith("{"):
            try:
                return dict(json.loads(line))
            except ValueError:
                continue
    return {}


def _help(job: Job, place: Workplace) -> Run:
    return _short(job, place, graft("--help"), 0)


def _config_error(job: Job, place: Workplace) -> Run:
    config = place.fresh("config-error") / "graft.yaml"
    content = start_graft.config(place.backbone, epochs=1, count=1)
    config.write_text(content.replace("epochs:", "epoch:"), encoding="utf-8")
    return _short(job, place, graft("run", config), 2)


def _short(job: Job, place: Workplace, command: list[str], code: int) -> Run:
    """Takes the median of some runs."""
    log = place.log(job.key.replace("/", "-"))
    usages = [measure(command, log, environ=environ()) for _ in range(COMMAND_REPEATS)]
    middle = statistics.median_low(one.wall_s for one in usages)
    usage: Usage = next(one for one in usages if one.wall_s == middle)
    failure = "" if usage.code == code else f"exit code {usage.code}, see {log}"
    return Run(job, usage, failure=failure, details={"walls_s": [one.wall_s for one in usages]})


STARTS: dict[str, Callable[[Job, Workplace], Run]] = {
    "graft-help": _help,
    "graft-config-error": _config_error,
    "graft-fixed": start_graft.fixed,
    "floor": _floor,
    "graft-cold": start_graft.cold,
    "graft-warm": start_graft.warm,
    "graft-new": start_graft.new,
    "graft-killed": start_graft.killed,
    "keras": _keras,
    "stock": _stock,
    "texts-floor": _texts_floor,
    "texts-graft": start_graft.texts,
}
