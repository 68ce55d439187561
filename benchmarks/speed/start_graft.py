"""Graft's own variants: cold, warm, with new data, after a kill.

Cold, warm and new data share a folder, in this order; where it is gone, because
a benchmark was resumed, the cold run is made again and not counted.
"""

import datetime
import json
import os
import re
from pathlib import Path
from typing import Any

from benchmarks.speed.jobs import Job
from benchmarks.speed.measure import Usage, folder_bytes, measure
from benchmarks.speed.pictures import make_pictures
from benchmarks.speed.runs import Run
from benchmarks.speed.workplace import Workplace, environ, graft, left_bytes

FIXED_PICTURES = 100
NEW_SHARE = 0.01
OTHER_HEAD = ("--set", "train.head.hidden=[64]")
# Classes of fewer examples than these have cannot be shared out among three splits.
_STRATIFIED = 500
_STRATIFIED_TEXTS = 5000
_COLD = "cold-of-repeat"
_STARTED = re.compile(r"^(\S+ \S+),\d+ INFO graft\.progress (.+) started$", re.MULTILINE)
_EMBEDDED = re.compile(r"Embedder (\d+)/(\d+)")

# Every epoch is run: `patience` would stop early. What is measured is time, so
# any accuracy will do.
_CONFIG = """name: speed
data:
  source: {{kind: image_folder, path: pictures}}
  splits: {{train: 8, eval: 1, test: 1, stratify: {stratify}}}
features:
  image: {{kind: image, backbone: "hub:{backbone}"}}
train: {{epochs: {epochs}, patience: {epochs}}}
evaluate: {{thresholds: {{accuracy: {{min: 0.0}}}}}}
push: {{path: serving}}
"""
_TEXTS_CONFIG = """name: speed
data:
  source: {{kind: csv, path: {table}}}
  splits: {{train: 8, eval: 1, test: 1, stratify: {stratify}}}
features:
  text: {{kind: text, column: {text}, backbone: "hf:{backbone}"}}
label: {{name: {label}}}
train: {{epochs: {epochs}, patience: {epochs}}}
evaluate: {{thresholds: {{accuracy: {{min: 0.0}}}}}}
push: {{path: serving}}
"""


def config(backbone: str, epochs: int, count: int) -> str:
    """Gives the text of a config for so many pictures in `pictures/` beside it."""
    handle, stratify = backbone.removeprefix("hub:"), _yaml(count >= _STRATIFIED)
    return _CONFIG.format(backbone=handle, epochs=epochs, stratify=stratify)


def _yaml(value: bool) -> str:
    return str(value).lower()


def fixed(job: Job, place: Workplace) -> Run:
    """Hardly any data: what a run costs whatever its size."""
    return _run(job, place, _folder(place, "fixed", FIXED_PICTURES, job.epochs))


def cold(job: Job, place: Workplace) -> Run:
    """From nothing to a pushed model; its folder is kept for those that build on it."""
    folder = _folder(place, f"graft-{job.size}-{job.epochs}", job.size, job.epochs)
    run = _run(job, place, folder)
    if not run.failure:
        (folder / _COLD).write_text(str(job.repeat), encoding="utf-8")
    return run


def warm(job: Job, place: Workplace) -> Run:
    """The same data, another head."""
    return _run(job, place, _after_cold(job, place), OTHER_HEAD)


def new(job: Job, place: Workplace) -> Run:
    """1 % more pictures in the folder."""
    folder = _after_cold(job, place)
    # From now on it is no cold run's.
    (folder / _COLD).unlink()
    count = max(1, round(NEW_SHARE * job.size))
    make_pictures(place.pictures, folder / "pictures", count, start=job.size)
    return _run(job, place, folder)


def killed(job: Job, place: Workplace) -> Run:
    """The same command again after the first one was killed at half of the Embedder."""
    folder = _folder(place, "killed", job.size, job.epochs)
    log = place.log(_name(job) + "-first")
    first = _measure(folder, log, watch=lambda: _is_half_embedded(folder))
    said: dict[str, Any] = {
        "before_s": first.wall_s,
        "before_cpu_s": first.cpu_s,
        "killed_at": _embedded(folder),
    }
    if not first.killed:
        usage = Usage(first.code, 0.0, 0.0, 0.0, 0.0, 0)
        return Run(job, usage, failure="it had ended before it could be killed", details=said)
    run = _run(job, place, folder, ("--resume",))
    run.details.update(said)
    return run


def texts(job: Job, place: Workplace) -> Run:
    """Texts, cold."""
    table, folder = place.sized_texts(job.size), place.fresh("graft-texts")
    text, label = place.text_columns
    content = _TEXTS_CONFIG.format(
        table=table.resolve(),
        text=text,
        label=label,
        backbone=place.text_backbone.removeprefix("hf:"),
        epochs=job.epochs,
        stratify=_yaml(job.size >= _STRATIFIED_TEXTS),
    )
    (folder / "graft.yaml").write_text(content, encoding="utf-8")
    return _run(job, place, folder, input_bytes=table.stat().st_size)


def _run(
    job: Job,
    place: Workplace,
    folder: Path,
    options: tuple[str, ...] = (),
    input_bytes: int | None = None,
) -> Run:
    log = place.log(_name(job))
    usage = _measure(folder, log, options)
    if input_bytes is None:
        input_bytes = folder_bytes(folder / "pictures")
    left, parts = left_bytes(folder, "pictures", "graft.yaml", _COLD)
    said = {**_read_summary(folder), "left": parts, "peak_in": _component_at(folder, usage.peak_at)}
    failure = f"exit code {usage.code}, see {log}" if usage.code else ""
    return Run(job, usage, input_bytes, left, failure, said)


def _measure(folder: Path, log: Path, options: tuple[str, ...] = (), **how: Any) -> Usage:
    command = graft("run", "graft.yaml", *options)
    # A cache outside of the folder would make the next cold run a warm one.
    around = {**environ(), "XDG_CACHE_HOME": str(folder / ".cache")}
    return measure(command, log, cwd=folder, environ=around, **how)


def _folder(place: Workplace, name: str, count: int, epochs: int) -> Path:
    folder = place.fresh(name)
    source = place.sized_pictures(count)
    for path in source.glob("*/*"):
        target = folder / "pictures" / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    (folder / "graft.yaml").write_text(config(place.backbone, epochs, count), encoding="utf-8")
    return folder


def _after_cold(job: Job, place: Workplace) -> Path:
    folder = place.folder / "work" / f"graft-{job.size}-{job.epochs}"
    mark = folder / _COLD
    if not mark.exists() or mark.read_text(encoding="utf-8") != str(job.repeat):
        run = cold(Job("graft-cold", job.size, job.epochs, job.repeat), place)
        if run.failure:
            raise ValueError(f"the cold run that it builds on failed: {run.failure}")
    return folder


def _is_half_embedded(folder: Path) -> bool:
    done, total = _embedded(folder)
    return 2 * done >= total > 0


def _embedded(folder: Path) -> tuple[int, int]:
    """Reads from the log how many examples of how many the Embedder has finished."""
    for log in folder.glob(".graft/logs/*.log"):
        counts = _EMBEDDED.findall(log.read_text(encoding="utf-8", errors="replace"))
        if counts:
            return int(counts[-1][0]), int(counts[-1][1])
    return 0, 0


def _component_at(folder: Path, moment: float) -> str:
    """Reads from the log which component ran at a time, or what came last before it."""
    found = ""
    for log in sorted(folder.glob(".graft/logs/*.log"))[-1:]:
        for written, name in _STARTED.findall(log.read_text(encoding="utf-8", errors="replace")):
            if datetime.datetime.strptime(written, "%Y-%m-%d %H:%M:%S").timestamp() <= moment:
                found = name
    return found


def _read_summary(folder: Path) -> dict[str, Any]:
    """Reads what the last run says of itself."""
    paths = sorted(folder.glob(".graft/runs/*/summary.json"), key=lambda one: one.stat().st_mtime)
    if not paths:
        return {}
    summary = json.loads(paths[-1].read_text(encoding="utf-8"))
    pushed = summary.get("pushed") or {}
    metrics = summary.get("metrics", {}).get("test", {})
    return {
        "components": summary["components"],
        "vectors": summary.get("vectors"),
        "inside_s": summary["seconds"],
        "accuracy": metrics.get("accuracy"),
        "pushed": pushed.get("version"),
        "failure": summary.get("failure"),
    }


def _name(job: Job) -> str:
    return job.key.replace("/", "-")
