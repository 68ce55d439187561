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
_MARK = re.compile(r"graft-misfit:([A-Za-z0-9+/=]+):")


class Look(NamedTuple):
    """What a worker is asked to compare.

    Attributes:
        facts: What this process is, see `read_facts`.
        read: Paths that must be there.
        work: Folder that is written to.
        mark: A file in it, and what stands there.
    """

    facts: dict[str, str]
    read: tuple[str, ...]
    work: str
    mark: tuple[str, str]


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
    (path, content), files = wanted.mark, files_at(wanted.work)
    try:
        same = files.read(path, 0, len(content)) == content.encode()
    except OSError:
        same = False
    if not same:
        raise MisfitError("a worker has another folder where the run writes", wanted.work, [])
    try:
        files.write(f"{path}.{uuid.uuid4().hex}", b"")
    except OSError:
        raise MisfitError("a worker cannot write where the run writes", wanted.work, []) from None


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
        except BaseException:
            progress.stage(STAGE, "failed", time.monotonic() - began)
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
    folder = f"{places.work.rstrip('/')}/.beam-probe-{uuid.uuid4().hex}"
    mark = (f"{folder}/mark", uuid.uuid4().hex)
    files = files_at(folder)
    files.write(mark[0], mark[1].encode())
    try:
        _run(args, Look(read_facts(), *places, mark))
    finally:
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
        raise ConfigError(explain(what, state, see=_SEE))


def read_misfit(text: str) -> GraftError:
    """Makes an error of ours of what a failed job says.

    Args:
        text: What the engine says.
    """
    found = _MARK.search(text)
    if found:
        what, received, valid = json.loads(base64.b64decode(found[1]))
        return ConfigError(explain(f"beam: {what}", received, valid, _SEE))
    missing = re.search(
        r"No module named '(pipeline|preprocessing|components|serving)\b[^']*'", text
    )
    if missing:
        what = "beam: a worker does not have our packages"
        return ConfigError(explain(what, missing[0], see=_SEE))
    lines = [line for line in text.strip().splitlines() if line.strip()] or ["no reason given"]
    return ConfigError(explain("beam: the engine fails at a small job", lines[-1][:300], see=_SEE))


def _exists(path: str) -> bool:
    if "://" not in path:
        return os.path.exists(path)
    import tensorflow as tf

    return tf.io.gfile.exists(path)
