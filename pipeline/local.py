"""Runs a pipeline on this machine, in this process."""

import contextlib
import posixpath
import sys
import time
from pathlib import Path

import tensorflow as tf
from absl import logging
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import pipeline
from tfx.orchestration.local import local_dag_runner
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.serving_validator.infra import check_platform
from pipeline.addresses import check_addresses
from pipeline.beam_config import places_of
from pipeline.component_events import ComponentEvents
from pipeline.config import Config
from pipeline.dag import build_pipeline
from pipeline.engines.probe import check_engine
from pipeline.leftovers import clear_leftovers, read_progress
from pipeline.light_beam import lighten_beam
from pipeline.metadata_store import unlogged_connection
from pipeline.resume import describe, describe_changes
from pipeline.run_record import PastRun
from pipeline.summarise import summarise, summarise_failure
from pipeline.summary import Summary, write_summary
from pipeline.terminal import graft_error
from pipeline.user_code import importable
from preprocessing import progress
from preprocessing.config import EmbeddedFeature
from preprocessing.keras_mode import check_legacy_keras
from trainer.backbones.vendor import vendor
from trainer.strategy import check_in_pipeline

_VENDOR = "Backbones"
# Costs nothing when nothing is new, and mends a serving folder that was lost.
_NEVER_CACHED = ("Pusher",)


def run(
    config: Config,
    *,
    cache: bool,
    run_id: str,
    log: Path,
    rebaseline: bool = False,
    past: PastRun | None = None,
    alone: bool = True,
) -> Summary:
    """Runs the pipeline from data to the pushed model.

    Args:
        config: The user's config, paths resolved.
        cache: Whether finished work with the same inputs is taken over.
        run_id: Names the run in the metadata, the log and the summary.
        log: The run's log file, for the summary.
        rebaseline: Whether the gate sets the last blessed model aside.
        past: The run that this one goes on with, if any.
        alone: Whether no other run can be in the working folder.

    Returns:
        The summary. It also stands in `runs/<run_id>/summary.json` of the local
        working folder, and of `workdir` where that is an address, as does that of
        a run that fails.

    Raises:
        GraftError: If the run fails for a reason that the user can mend.
    """
    check_legacy_keras()
    lighten_beam()
    started = time.monotonic()
    # Beam parses this process's command line, which is ours and not its own.
    arguments, sys.argv = sys.argv, sys.argv[:1]
    events = ComponentEvents()
    resumed = past.begun.run_id if past else None
    path = config.local_folder / "runs" / run_id / "summary.json"
    try:
        with events, importable(config.base):
            check_in_pipeline(config.train.strategy)
            if config.validation.validator == "infra_validator":
                check_platform(config.validation.infra)
            check_addresses(config)
            if past is not None:
                _tell(past, config, rebaseline)
            if alone:
                clear_leftovers(config)
            check_engine(config.beam, config.base, places_of(config))
            events.begin(_VENDOR)
            store = config.local_folder / "backbones"
            backbones = {
                name: vendor(feature.backbone, store, config.base, feature.kind)
                for name, feature in config.features.items()
                if isinstance(feature, EmbeddedFeature)
            }
            events.end()
            built = build_pipeline(
                config,
                backbones,
                cache=cache,
                rebaseline=rebaseline,
                resumed=past.chain if past else (),
            )
            with unlogged_connection():
                local_dag_runner.LocalDagRunner().run_with_ir(compile_ir(built, run_id))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and config.beam.probed:
            # Beam's job servers end no batch job of a cluster.
            progress.note("the cluster may go on with its job; end it on the cluster's page")
        seconds = time.monotonic() - started
        cause = graft_error(error) or error
        failed = summarise_failure(config, events, run_id, log, seconds=seconds, error=cause)
        failed = failed.model_copy(update={"resumed": resumed})
        # A full disk, say, must not hide why the run failed.
        with contextlib.suppress(OSError):
            _write_summary(failed, path, config)
        raise
    finally:
        sys.argv = arguments
    seconds = time.monotonic() - started
    summary = summarise(config, backbones, events, run_id, log, seconds=seconds)
    summary = summary.model_copy(update={"resumed": resumed})
    _write_summary(summary, path, config)
    return summary


def _write_summary(summary: Summary, path: Path, config: Config) -> None:
    """Writes summary.json on this machine, and where others see it, too."""
    write_summary(summary, path)
    if "://" in config.workdir:
        there = posixpath.join(config.workdir, "runs", summary.run_id, path.name)
        try:
            tf.io.gfile.makedirs(posixpath.dirname(there))
            tf.io.gfile.copy(str(path), there, overwrite=True)
        except tf.errors.OpError as error:
            logging.warning("The summary is only on this machine: %s", error)


def _tell(past: PastRun, config: Config, rebaseline: bool) -> None:
    """Says what is gone on with, before anything of it is cleared away."""
    progress.note(describe(past, read_progress(config, past.chain)))
    for line in describe_changes(past.begun, config, rebaseline=rebaseline):
        progress.note(line)


def compile_ir(built: pipeline.Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    """Compiles a pipeline for one run on this machine."""
    ir = compiler.Compiler().compile(built)
    for node in ir.nodes:
        if node.pipeline_node.node_info.id in _NEVER_CACHED:
            node.pipeline_node.execution_options.caching_options.enable_cache = False
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    return ir
