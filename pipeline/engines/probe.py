"""A small job before the first large one: are the workers as this process is?

Each worker compares its Python, Beam, TensorFlow, Keras and our code with those
here, reads what the run reads, and reads and writes where the run writes. What
is wrong comes back as text, for that is what a failed job of any engine leaves.
"""

import base64
import importlib.metadata
import json
import os
import re
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from components.embedder.store.files import files_at
from pipeline.code_digest import digest_code
from pipeline.engines.engine import Engine, Places
from preprocessing import progress
from preprocessing.errors import ConfigError, GraftError, explain
from preprocessing.keras_mode import ACCEPTED, VARIABLE

STAGE = "Beam workers"
TIMEOUT_SECONDS = 300
# Workers are given one each, if they are all free.
_LOOKS = 8
_SEE = "docs/beam.md"
_MISFIT = re.compile(r"graft-misfit:([A-Za-z0-9+/=]+):")
_FRAME = re.compile(r"\s*(at [\w.$/<>]+\(|\.\.\. \d+ (more|common))")


class Mark(NamedTuple):
    """What this process has written where a run writes.

    Attributes:
        work: The folder.
        path: A file in it.
        content: What stands there.
    """

    work: str
    path: str
    content: str


class Look(NamedTuple):
    """What a worker is asked to compare.

    Attributes:
        facts: What this process is, see `read_facts`.
        read: Paths that must be there.
        marks: What must be there, too, and beside which is written.
    """

    facts: dict[str, str]
    read: tuple[str, ...]
    marks: tuple[Mark, ...]


class NoWorkerError(ConfigError):
    """A small job has failed, and no worker has said why."""


class MisfitError(Exception):
    """What a worker found, as text that no engine changes."""

    def __init__(self, what: str, received: str, valid: list[str]) -> None:
        found = base64.b64encode(json.dumps([what, received, valid]).encode()).decode()
        super().__init__(f"graft-misfit:{found}:")


def read_facts() -> dict[str, str]:
    """Says what results and pickled work depend on."""
    return {
        "Python": "{}.{}".format(*sys.version_info),
        "apache-beam": importlib.metadata.version("apache-beam"),
        "tensorflow": importlib.metadata.version("tensorflow"),
        "Graft's code": digest_code("Embedder"),
        VARIABLE: os.environ.get(VARIABLE, "not set"),
    }


def look(_: Any, wanted: Look) -> None:
    """Runs in a worker.

    Raises:
        MisfitError: Something differs, or cannot be reached.
    """
    for name, here in read_facts().items():
        there = wanted.facts[name]
        if here != there and not (name == VARIABLE and here in ACCEPTED):
            raise MisfitError(f"a worker has another {name}", here, [there])
    for path in wanted.read:
        if not _exists(path):
            raise MisfitError("a worker cannot reach what the run reads", path, [])
    for mark in wanted.marks:
        _compare(mark)


def _compare(mark: Mark) -> None:
    files = files_at(mark.work)
    try:
        same = files.read(mark.path, 0, len(mark.content)) == mark.content.encode()
    except OSError:
        same = False
    if not same:
        raise MisfitError("a worker has another folder where the run writes", mark.work, [])
    try:
        files.write(f"{mark.path}.{uuid.uuid4().hex}", b"")
    except OSError:
        raise MisfitError("a worker cannot write where the run writes", mark.work, []) from None


def check_engine(engine: Engine, base: Path, places: Places) -> None:
    """Looks whether an engine can do a run's jobs, before the first of them.

    Args:
        engine: From the config.
        base: Folder that relative paths start from.
        places: What workers must reach.

    Raises:
        ConfigError: It cannot, with what is wrong.
    """
    engine.check(base, places)
    if engine.probed:
        began = time.monotonic()
        progress.stage(STAGE, "started")
        try:
            probe(engine.beam_args(base), places)
        except BaseException as error:
            progress.stage(STAGE, "failed", time.monotonic() - began)
            hint = engine.hint() if isinstance(error, NoWorkerError) else ""
            if hint:
                raise NoWorkerError(f"{error}\n  Seen from here: {hint}") from error
            raise
        progress.stage(STAGE, "run", time.monotonic() - began)


def probe(args: tuple[str, ...], places: Places) -> None:
    """Runs the job.

    Args:
        args: Beam's options for the engine.
        places: What workers must reach.

    Raises:
        ConfigError: A worker is not as this process is, or none answers.
    """
    name = f".beam-probe-{uuid.uuid4().hex}"
    folders = [f"{work.rstrip('/')}/{name}" for work in places.work]
    marks = tuple(
        Mark(work, f"{folder}/mark", uuid.uuid4().hex)
        for work, folder in zip(places.work, folders, strict=True)
    )
    try:
        for mark in marks:
            files_at(mark.path).write(mark.path, mark.content.encode())
        _run(args, Look(read_facts(), places.read, marks))
    finally:
        for folder in folders:
            files = files_at(folder)
            for one in files.listing(folder):
                files.remove(one.path)
            files.remove_folder(folder)


def _run(args: tuple[str, ...], wanted: Look) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    pipeline = beam.Pipeline(options=PipelineOptions(list(args)))
    _ = pipeline | beam.Create(range(_LOOKS)) | beam.Reshuffle() | beam.Map(look, wanted)
    try:
        result = pipeline.run()
        state = result.wait_until_finish(TIMEOUT_SECONDS * 1000)
    except Exception as error:
        raise read_misfit(str(error)) from error
    if state != "DONE":
        result.cancel()
        what = f"beam: no worker has done a small job in {TIMEOUT_SECONDS} s"
        raise NoWorkerError(explain(what, state, see=_SEE))


def read_misfit(text: str) -> GraftError:
    """Makes an error of ours of what a failed job says.

    Args:
        text: What the engine says.
    """
    found = _MISFIT.search(text)
    if found:
        what, received, valid = json.loads(base64.b64decode(found[1]))
        return ConfigError(explain(f"beam: {what}", received, valid, _SEE))
    missing = re.search(
        r"No module named '(pipeline|preprocessing|components|serving)\b[^']*'", text
    )
    if missing:
        what = "beam: a worker does not have our packages"
        return ConfigError(explain(what, missing[0], see=_SEE))
    # Of a trace of Java's, what is left then ends with the first cause.
    lines = [line.strip() for line in text.splitlines() if not _FRAME.match(line)]
    last = next((line for line in reversed(lines) if line), "no reason given")
    return NoWorkerError(explain("beam: the engine fails at a small job", last[:300], see=_SEE))


def _exists(path: str) -> bool:
    if "://" not in path:
        return os.path.exists(path)
    import tensorflow as tf

    return tf.io.gfile.exists(path)
