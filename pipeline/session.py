"""What `graft run` and `graft demo` do around the pipeline: run id, log, summary."""

import contextlib
import datetime
import importlib
import io
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from pipeline.artifact_root import forget_lost_database
from pipeline.config import Config, load_config
from pipeline.light_imports import light_imports
from pipeline.render import render_summary
from pipeline.resume import find_resumable
from pipeline.run_lock import only_run
from pipeline.run_record import PastRun, list_runs, write_begun
from pipeline.scratch import clear_scratch, scratch
from pipeline.summary import Summary, write_summary
from pipeline.terminal import Session
from preprocessing.clean_process import spares
from preprocessing.config import BackboneConfig
from preprocessing.errors import GraftError, UsageError, explain
from preprocessing.progress import stage

if TYPE_CHECKING:
    from pipeline.scout_report import Scouted

_LOADING = "Loading TFX"


def run_pipeline(
    config: Config, *, cache: bool, rebaseline: bool = False, resume: bool = False
) -> Summary:
    """Runs a pipeline with the terminal kept for progress.

    Args:
        config: The checked config.
        cache: Whether finished work with the same inputs is taken over.
        rebaseline: Whether the gate sets the last blessed model aside.
        resume: Whether to go on with the run that ended early.

    Returns:
        The run's summary, blessed or not.

    Raises:
        UsageError: Another run is going on in the working folder, there is
            nothing to resume, or the metadata's database cannot be used.
        GraftError: The run failed; where the log is stands in the message.
        CrashError: It failed for a reason that is no mistake of the user's.
    """
    run_id, log = _begin(config)
    with only_run(config.local_folder, run_id) as alone:
        past = find_resumable(config) if resume else None
        resumed = past.begun.run_id if past else None
        forget_lost_database(config)
        if alone:
            clear_scratch(one.begun.scratch for one in list_runs(config.local_folder))
        write_begun(config, run_id, cache=cache, rebaseline=rebaseline, resumed=resumed)
        with scratch(run_id):
            return _run_in_session(config, cache, rebaseline, past, run_id, log, alone)


def _run_in_session(
    config: Config,
    cache: bool,
    rebaseline: bool,
    past: PastRun | None,
    run_id: str,
    log: Path,
    alone: bool,
) -> Summary:
    with _tfx(log, _clean_processes(config)):
        from pipeline import local

        return local.run(
            config,
            cache=cache,
            run_id=run_id,
            log=log,
            rebaseline=rebaseline,
            past=past,
            alone=alone,
        )


def scout_backbones(
    config: Config, feature: str, candidates: Sequence[BackboneConfig]
) -> "list[Scouted]":
    """Compares backbones with the terminal kept for progress; see `pipeline.scout`.

    Raises:
        UsageError: A run is going on in the working folder, or the metadata's database
            cannot be used.
        GraftError: A backbone or the data cannot be used.
    """
    run_id, log = _begin(config)
    with only_run(config.local_folder, run_id), scratch(run_id), _tfx(log, 0):
        forget_lost_database(config)
        from pipeline.scout import scout

        return scout(config, feature, candidates, run_id)


@contextlib.contextmanager
def _tfx(log: Path, clean_processes: int) -> Iterator[None]:
    """Loads TFX with the terminal kept; an error of the user's says where the log is."""
    try:
        # The clean processes import TensorFlow on the core that this one leaves idle.
        with Session(log), spares(clean_processes):
            stage(_LOADING, "started")
            began = time.monotonic()
            with light_imports():
                importlib.import_module("pipeline.local")
            stage(_LOADING, "run", time.monotonic() - began)
            yield
    except GraftError as error:
        error.args = (f"{error}\n  Log: {log}",)
        raise
    except KeyboardInterrupt:
        click.echo(f"graft: stopped; what is finished is kept\n  Log: {log}", err=True)
        raise click.exceptions.Exit(130) from None


def run_demo(folder: Path) -> Summary:
    """Writes the demo's data and config, runs it, and lets the pushed model classify."""
    _check_writable(folder)
    from pipeline import demo

    config = load_config(demo.write_demo(folder))
    summary = run_pipeline(config, cache=True)
    if summary.pushed is None:
        return summary
    with Session(Path(summary.log)):
        predictions = demo.classify(summary, config)
    summary = summary.model_copy(update={"predictions": tuple(predictions)})
    write_summary(summary, config.local_folder / "runs" / summary.run_id / "summary.json")
    return summary


def show(summary: Summary, as_json: bool) -> int:
    """Writes a summary to standard output.

    Returns:
        The exit code that the summary stands for.
    """
    if as_json:
        click.echo(summary.model_dump_json(indent=2))
    else:
        render_summary(summary, console(), components=not sys.stderr.isatty())
    return summary.exit_code


def console(*, stderr: bool = False) -> Console:
    """A console that survives characters which the terminal cannot show.

    Args:
        stderr: Whether it is on standard error instead of standard output.
    """
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    return Console(file=stream, width=None if stream.isatty() else 100)


def _clean_processes(config: Config) -> int:
    """How many a run asks for: to validate, and to load what is pushed."""
    return (config.validation.validator == "graft") + bool(config.push)


def _begin(config: Config) -> tuple[str, Path]:
    """Names what begins, and its log; asks for what needs no TFX."""
    run_id = _make_run_id()
    log = config.local_folder / "logs" / f"{run_id}.log"
    _check_writable(log.parent)
    if config.metadata.kind != "sqlite":
        from pipeline.metadata_check import check_metadata

        check_metadata(config)
    return run_id, log


def _make_run_id() -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"The working folder cannot be made: {error.strerror}"
        raise UsageError(explain(what, str(folder))) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(explain("The working folder cannot be written", str(folder)))
