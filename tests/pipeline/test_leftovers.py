"""What killed runs leave, in a real metadata database and on disk."""

import os
import time

import pytest
from ml_metadata.proto import metadata_store_pb2 as proto

from pipeline.config import Config
from pipeline.leftovers import clear_leftovers, read_progress
from pipeline.metadata_store import open_store
from pipeline.resume import HowFar

STATES = proto.Execution


class Workdir:
    """Executions as TFX leaves them, with their folders."""

    def __init__(self, folder, config=None):
        self.folder = folder
        self.config = config or Config.model_construct(workdir=str(folder))
        self.store = open_store(self.config)
        self.execution_type = self.store.put_execution_type(proto.ExecutionType(name="any"))
        self.artifact_type = self.store.put_artifact_type(proto.ArtifactType(name="Model"))
        self.context_types = {
            name: self.store.put_context_type(proto.ContextType(name=name))
            for name in ("pipeline_run", "node")
        }

    def execute(self, run, node, state):
        contexts = [
            self._context("pipeline_run", run),
            self._context("node", f"flowers.{node}"),
        ]
        execution = proto.Execution(type_id=self.execution_type, last_known_state=state)
        id_, _, _ = self.store.put_execution(
            execution, [], contexts, reuse_context_if_already_exist=True
        )
        return id_

    def write(self, *parts):
        path = self.folder.joinpath("artifacts", *map(str, parts), "file")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def files(self):
        root = self.folder / "artifacts"
        return {str(path.parent.relative_to(root)) for path in root.rglob("file")}

    def state(self, execution):
        (found,) = self.store.get_executions_by_id([execution])
        return found.last_known_state

    def _context(self, kind, name):
        return proto.Context(type_id=self.context_types[kind], name=name)


@pytest.fixture
def workdir(tmp_path):
    return Workdir(tmp_path)


def test_without_metadata_nothing_was_done_and_nothing_is_left(tmp_path):
    assert read_progress(Config.model_construct(workdir=str(tmp_path)), ["a"]) == HowFar()
    assert clear_leftovers(Config.model_construct(workdir=str(tmp_path))) == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_no_metadata_yet_came_to_nothing(workdir):
    workdir.execute("other", "ExampleGen", STATES.COMPLETE)
    assert read_progress(workdir.config, ["a"]) == HowFar()


def test_progress_is_what_finished_and_where_it_was(workdir):
    workdir.execute("a", "ExampleGen", STATES.COMPLETE)
    workdir.execute("a", "Transform", STATES.CACHED)
    assert read_progress(workdir.config, ["a"]) == HowFar(("ExampleGen", "Transform"), None)
    workdir.execute("a", "Embedder", STATES.RUNNING)
    assert read_progress(workdir.config, ["a"]) == HowFar(("ExampleGen", "Transform"), "Embedder")


def test_a_failed_component_is_where_the_run_was(workdir):
    workdir.execute("a", "ExampleGen", STATES.COMPLETE)
    workdir.execute("a", "Trainer", STATES.FAILED)
    assert read_progress(workdir.config, ["a"]) == HowFar(("ExampleGen",), "Trainer")


def test_progress_counts_what_the_runs_before_had_finished(workdir):
    workdir.execute("a", "ExampleGen", STATES.COMPLETE)
    workdir.execute("a", "Embedder", STATES.RUNNING)
    workdir.execute("b", "ExampleGen", STATES.CACHED)
    assert read_progress(workdir.config, ["b", "a"]) == HowFar(("ExampleGen",), None)


def test_what_a_killed_component_wrote_is_deleted_and_nothing_else(workdir):
    done = workdir.execute("a", "Trainer", STATES.COMPLETE)
    killed = workdir.execute("b", "Trainer", STATES.RUNNING)
    for execution in (done, killed):
        workdir.write("Trainer", "model", execution)
        workdir.write("Trainer", "model_run", execution, "deep")
        workdir.write("Trainer", ".system", "executor_execution", execution, ".temp")
        workdir.write("Evaluator", "blessing", execution)
    workdir.write("Trainer", ".system", "stateful_working_dir", "an-id")
    assert clear_leftovers(workdir.config) == ["Trainer"]
    assert workdir.files() == {
        f"Trainer/model/{done}",
        f"Trainer/model_run/{done}/deep",
        f"Trainer/.system/executor_execution/{done}/.temp",
        f"Evaluator/blessing/{done}",
        f"Evaluator/blessing/{killed}",
    }
    assert (workdir.state(done), workdir.state(killed)) == (STATES.COMPLETE, STATES.FAILED)
    assert clear_leftovers(workdir.config) == []


def test_an_artifact_that_is_in_the_metadata_is_never_deleted(workdir):
    killed = workdir.execute("a", "Trainer", STATES.RUNNING)
    workdir.write("Trainer", "model", killed)
    uri = str(workdir.folder / "artifacts" / "Trainer" / "model" / str(killed))
    (artifact,) = workdir.store.put_artifacts(
        [proto.Artifact(type_id=workdir.artifact_type, uri=uri)]
    )
    event = proto.Event(artifact_id=artifact, execution_id=killed, type=proto.Event.OUTPUT)
    workdir.store.put_events([event])
    clear_leftovers(workdir.config)
    assert workdir.files() == {f"Trainer/model/{killed}"}


def test_a_component_without_a_folder_is_marked_all_the_same(workdir):
    killed = workdir.execute("a", "Baseline", STATES.RUNNING)
    assert clear_leftovers(workdir.config) == ["Baseline"]
    assert workdir.state(killed) == STATES.FAILED


def test_checkpoints_that_nobody_went_on_with_are_deleted_in_the_end(tmp_path):
    old, new = "0a" * 12, "1b" * 12
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "latest").symlink_to(tmp_path / "gone")
    for name, days in ((old, 15), (new, 13), ("mine", 15)):
        file = tmp_path / "checkpoints" / name / "head" / "checkpoint"
        file.parent.mkdir(parents=True)
        file.touch()
        for path in (file, file.parent, file.parent.parent):
            at = time.time() - days * 86400
            os.utime(path, (at, at))
    clear_leftovers(Config.model_construct(workdir=str(tmp_path)))
    # What is not named as ours are stays, however old.
    left = sorted(one.name for one in (tmp_path / "checkpoints").iterdir())
    assert left == [new, "latest", "mine"]
