"""What killed runs leave in the metadata and on disk: how far they came, and its removal.

Only a run that has the working folder to itself (run_lock.py) may call this: then an
execution that says it is running is one that was killed. Something else that a
killed component leaves in the working folder is removed here; what a component
writes elsewhere is its own matter (the Pusher's staging, a backbone's).
"""

import contextlib
import posixpath
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from absl import logging
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.artifact_root import pipeline_root
from pipeline.config import Config
from pipeline.lineage import node_of
from pipeline.metadata_store import is_begun, open_store
from pipeline.resume import HowFar
from pipeline.run_record import list_runs

_Execution = metadata_store_pb2.Execution
_ALIVE = (_Execution.NEW, _Execution.RUNNING)
_FINISHED = (_Execution.COMPLETE, _Execution.CACHED)
# What TFX keeps beside the artifacts, for each execution or for a node's one at a time.
_OF_EXECUTION, _OF_NODE = ".system/executor_execution", ".system/stateful_working_dir"
# A training is gone on with soon or not at all.
_CHECKPOINT_DAYS = 14
# As trainer.checkpoints.training_key names them.
_TRAINING = re.compile("[0-9a-f]{24}")


def read_progress(config: Config, run_ids: Sequence[str]) -> HowFar:
    """Reads from the metadata how far runs had come that went on with each other.

    Args:
        config: The config of the run that goes on with them.
        run_ids: The runs, the last first; each may have been killed before it
            had any metadata.
    """
    if not is_begun(config):
        return HowFar()
    store = open_store(config)
    finished: dict[str, None] = {}
    inside = None
    for run_id in reversed(run_ids):
        inside = None
        for one in sorted(_executions_of(store, run_id), key=lambda one: one.id):
            inside = node_of(store, one.id)
            if one.last_known_state in _FINISHED:
                finished[inside], inside = None, None
    return HowFar(tuple(finished), inside)


def clear_leftovers(config: Config) -> list[str]:
    """Marks what killed runs were doing as failed, and deletes what they had half done.

    Args:
        config: The run's config; it has the working folder to itself.

    Returns:
        The components that they were in.
    """
    _clear_checkpoints(config.local_folder / "checkpoints")
    if not is_begun(config):
        return []
    store = open_store(config)
    killed = [one for one in _executions_here(store, config) if one.last_known_state in _ALIVE]
    nodes = [node_of(store, one.id) for one in killed]
    root = pipeline_root(config)
    for node, execution in zip(nodes, killed, strict=True):
        _delete(posixpath.join(root, node), execution.id, _taken(store, execution.id))
        # Only now: whoever is killed here finds it again.
        execution.last_known_state = _Execution.FAILED
        execution.custom_properties["graft_ending"].string_value = "killed"
        store.put_executions([execution])
        logging.info("Removed what execution %d of %s had left, being killed", execution.id, node)
    return nodes


def _delete(folder: str, execution: int, taken: Sequence[str]) -> None:
    """Deletes what one execution of a node wrote, but no artifact that is in the metadata."""
    left = [posixpath.join(one, str(execution)) for one in _inside(folder)]
    left.append(posixpath.join(folder, _OF_EXECUTION, str(execution)))
    left += _inside(posixpath.join(folder, _OF_NODE))
    for place in left:
        if place not in taken and tf.io.gfile.isdir(place):
            with contextlib.suppress(tf.errors.OpError):
                tf.io.gfile.rmtree(place)


def _inside(folder: str) -> list[str]:
    """What is in a folder, if there is one; buckets end folders' names with a slash."""
    names = tf.io.gfile.listdir(folder) if tf.io.gfile.isdir(folder) else []
    return [posixpath.join(folder, name.rstrip("/")) for name in names]


def _executions_here(
    store: metadata_store.MetadataStore, config: Config
) -> list[metadata_store_pb2.Execution]:
    """Those of the working folder: a server's database has others' runs, too, which go on."""
    if config.metadata.kind == "sqlite":
        return store.get_executions()
    runs = [one.begun.run_id for one in list_runs(config.local_folder)]
    return [execution for run_id in runs for execution in _executions_of(store, run_id)]


def _executions_of(
    store: metadata_store.MetadataStore, run_id: str
) -> list[metadata_store_pb2.Execution]:
    context = store.get_context_by_type_and_name("pipeline_run", run_id)
    return store.get_executions_by_context(context.id) if context else []


def _taken(store: metadata_store.MetadataStore, execution: int) -> list[str]:
    events = store.get_events_by_execution_ids([execution])
    return [one.uri for one in store.get_artifacts_by_id([event.artifact_id for event in events])]


def _clear_checkpoints(folder: Path) -> None:
    """Deletes the states of trainings that nobody has gone on with."""
    if not folder.is_dir():
        return
    for training in folder.iterdir():
        # Whoever works in a folder of his own may have others' checkpoints there.
        if not _TRAINING.fullmatch(training.name):
            continue
        newest = max(one.lstat().st_mtime for one in [training, *training.rglob("*")])
        if time.time() - newest > _CHECKPOINT_DAYS * 86400:
            shutil.rmtree(training, ignore_errors=True)
