"""What killed runs leave in the metadata and on disk: how far they came, and its removal.

Only a run that has the working folder to itself (run_lock.py) may call this: then an
execution that says it is running is one that was killed. Something else that a
killed component leaves in the working folder is removed here; what a component
writes elsewhere is its own matter (the Pusher's staging, a backbone's).
"""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from absl import logging
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.lineage import node_of, open_store
from pipeline.resume import HowFar

_Execution = metadata_store_pb2.Execution
_ALIVE = (_Execution.NEW, _Execution.RUNNING)
_FINISHED = (_Execution.COMPLETE, _Execution.CACHED)
# What TFX keeps beside the artifacts, for each execution or for a node's one at a time.
_OF_EXECUTION, _OF_NODE = ".system/executor_execution", ".system/stateful_working_dir"
# A training is gone on with soon or not at all.
_CHECKPOINT_DAYS = 14
# As trainer.checkpoints.training_key names them.
_TRAINING = re.compile("[0-9a-f]{24}")


def read_progress(workdir: str | Path, run_ids: Sequence[str]) -> HowFar:
    """Reads from the metadata how far runs had come that went on with each other.

    Args:
        workdir: The working folder.
        run_ids: The runs, the last first; each may have been killed before it
            had any metadata.
    """
    path = Path(workdir) / "metadata.sqlite"
    if not path.is_file():
        return HowFar()
    store = open_store(path)
    finished: dict[str, None] = {}
    inside = None
    for run_id in reversed(run_ids):
        context = store.get_context_by_type_and_name("pipeline_run", run_id)
        executions = store.get_executions_by_context(context.id) if context else []
        inside = None
        for one in sorted(executions, key=lambda one: one.id):
            inside = node_of(store, one.id)
            if one.last_known_state in _FINISHED:
                finished[inside], inside = None, None
    return HowFar(tuple(finished), inside)


def clear_leftovers(workdir: str | Path) -> list[str]:
    """Marks what killed runs were doing as failed, and deletes what they had half done.

    Args:
        workdir: The working folder, which this run has to itself.

    Returns:
        The components that they were in.
    """
    workdir = Path(workdir)
    _clear_checkpoints(workdir / "checkpoints")
    path = workdir / "metadata.sqlite"
    if not path.is_file():
        return []
    store = open_store(path)
    killed = [one for one in store.get_executions() if one.last_known_state in _ALIVE]
    nodes = [node_of(store, one.id) for one in killed]
    for node, execution in zip(nodes, killed, strict=True):
        _delete(workdir / "artifacts" / node, execution.id, _taken(store, execution.id))
        # Only now: whoever is killed here finds it again.
        execution.last_known_state = _Execution.FAILED
        execution.custom_properties["graft_ending"].string_value = "killed"
        store.put_executions([execution])
        logging.info("Removed what execution %d of %s had left, being killed", execution.id, node)
    return nodes


def _delete(folder: Path, execution: int, taken: Sequence[str]) -> None:
    """Deletes what one execution of a node wrote, but no artifact that is in the metadata."""
    if not folder.is_dir():
        return
    outputs = [one / str(execution) for one in folder.iterdir() if one.name != ".system"]
    stateful = folder / _OF_NODE
    left = [*outputs, folder / _OF_EXECUTION / str(execution)]
    left += list(stateful.iterdir()) if stateful.is_dir() else []
    for place in left:
        if str(place) not in taken:
            shutil.rmtree(place, ignore_errors=True)


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
