"""Before a run, a small job finds workers that are not as this process is."""

from pathlib import Path

import pytest

from components.embedder.store.files import LocalFiles
from pipeline.engines import probe
from pipeline.engines.engine import NO_ARCHIVE, Places
from pipeline.engines.flink import FlinkEngine
from pipeline.engines.worker_errors import read_worker_error
from preprocessing.errors import ConfigError, DataError, GraftError

LOCAL = ("--runner=FnApiRunner", NO_ARCHIVE)


@pytest.fixture
def places(tmp_path):
    (tmp_path / "data").mkdir()
    return Places((str(tmp_path / "data"),), (str(tmp_path / "work"), str(tmp_path / "kept")))


def refusal(places):
    with pytest.raises(ConfigError) as caught:
        probe.probe(LOCAL, places)
    return str(caught.value)


def test_workers_that_are_as_this_process_is_are_taken(places, tmp_path):
    """Nothing is left of it where the run writes."""
    probe.probe(LOCAL, places)
    assert [one.name for one in tmp_path.rglob("*") if one.is_file() or "probe" in one.name] == []


@pytest.mark.parametrize("name", ["Python", "apache-beam", "tensorflow", "Graft's code"])
def test_a_worker_with_another_version(name, places, monkeypatch):
    here = probe.read_facts()
    # As if this process were another than its workers.
    monkeypatch.setattr(probe, "Look", lambda facts, *rest: LOOK({**here, name: "9"}, *rest))
    assert refusal(places) == (
        f"beam: a worker has another {name}\n"
        f"  Received: '{here[name]}'\n"
        "  Valid: 9\n"
        "  See: docs/beam.md"
    )


LOOK = probe.Look


def test_a_worker_without_keras_2(places, monkeypatch):
    monkeypatch.setattr(probe.os, "environ", {**probe.os.environ, probe.VARIABLE: "0"})
    monkeypatch.setattr(
        probe, "Look", lambda facts, *rest: LOOK({**facts, probe.VARIABLE: "1"}, *rest)
    )
    assert refusal(places) == (
        "beam: a worker has another TF_USE_LEGACY_KERAS\n"
        "  Received: '0'\n"
        "  Valid: 1\n"
        "  See: docs/beam.md"
    )


def test_data_that_workers_cannot_reach(places):
    assert refusal(places._replace(read=("/not/on/workers",))) == (
        "beam: a worker cannot reach what the run reads\n"
        "  Received: '/not/on/workers'\n"
        "  See: docs/beam.md"
    )


@pytest.mark.parametrize("other", [0, 1])
def test_a_folder_that_is_another_one_on_workers(other, places, monkeypatch):
    # What this process has written there is not what workers find.
    def forge(facts, read, marks):
        forged = [one._replace(content="something else") for one in marks]
        return LOOK(facts, read, tuple(forged[n] if n == other else marks[n] for n in (0, 1)))

    monkeypatch.setattr(probe, "Look", forge)
    assert refusal(places) == (
        "beam: a worker has another folder where the run writes\n"
        f"  Received: '{places.work[other]}'\n"
        "  See: docs/beam.md"
    )


def test_a_folder_that_workers_may_not_write(places, monkeypatch):
    write = LocalFiles.write

    def refuse(self, path, content):
        if not path.endswith("mark"):
            raise PermissionError(path)
        write(self, path, content)

    monkeypatch.setattr(LocalFiles, "write", refuse)
    assert refusal(places) == (
        "beam: a worker cannot write where the run writes\n"
        f"  Received: '{places.work[0]}'\n"
        "  See: docs/beam.md"
    )


def test_workers_without_our_packages():
    text = "Error processing instruction 1.\nModuleNotFoundError: No module named 'pipeline'"
    assert str(probe.read_misfit(text)) == (
        "beam: a worker does not have our packages\n"
        "  Received: \"No module named 'pipeline'\"\n"
        "  See: docs/beam.md"
    )


def test_an_engine_that_fails_by_itself():
    assert str(probe.read_misfit("BeamApp failed in state FAILED: out of slots\n")) == (
        "beam: the engine fails at a small job\n"
        "  Received: 'BeamApp failed in state FAILED: out of slots'\n"
        "  See: docs/beam.md"
    )


JAVA = """\
java.lang.RuntimeException: Error during job invocation
\tat org.apache.beam.runners.jobsubmission.JobInvocation.run(JobInvocation.java:80)
Caused by: java.net.ConnectException: Connection refused: localhost/127.0.0.1:50000
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 12 more
"""


def test_of_a_trace_of_java_s_the_first_cause_is_told():
    assert str(probe.read_misfit(JAVA)) == (
        "beam: the engine fails at a small job\n"
        "  Received: 'Caused by: java.net.ConnectException: "
        "Connection refused: localhost/127.0.0.1:50000'\n"
        "  See: docs/beam.md"
    )


@pytest.fixture
def flink():
    """With a pool of workers that does not answer."""
    workers = {"kind": "external", "address": "localhost:1"}
    return FlinkEngine.model_validate(
        {"kind": "flink", "job_endpoint": "localhost:1", "workers": workers}
    )


def answer(monkeypatch, error):
    def fail(args, places):
        raise error

    monkeypatch.setattr(FlinkEngine, "check", lambda *_: None)
    monkeypatch.setattr(probe, "probe", fail)


def test_where_no_worker_is_found_it_is_said_what_is_seen_of_the_pool(flink, places, monkeypatch):
    answer(monkeypatch, probe.NoWorkerError("no worker has done a small job"))
    with pytest.raises(ConfigError) as caught:
        probe.check_engine(flink, Path("/"), places)
    assert str(caught.value) == (
        "no worker has done a small job\n  Seen from here: "
        "beam.workers.address: the pool of workers does not answer: localhost:1"
    )


def test_what_a_worker_has_said_is_told_as_it_is(flink, places, monkeypatch):
    """The cluster has reached the pool, whatever is seen of it from here."""
    answer(monkeypatch, ConfigError("a worker has another Python"))
    with pytest.raises(ConfigError) as caught:
        probe.check_engine(flink, Path("/"), places)
    assert str(caught.value) == "a worker has another Python"


FAILED = """\
Pipeline BeamApp failed in state FAILED: java.lang.RuntimeException: Error received from SDK \
harness for instruction 5: Traceback (most recent call last):
  File "components/example_gen/shards.py", line 128, in to_example
    raise DataError(f"{source} changed during the run; run again")
preprocessing.errors.DataError: data.source.path cannot be read
  Received: '/data'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1495, in process
preprocessing.errors.DataError: data.source.path cannot be read
  Received: '/data' [while running 'ParDo(_WriteShard)-ptransform-31']

\tat java.base/java.util.concurrent.CompletableFuture.reportGet(CompletableFuture.java:396)
"""


def test_an_error_of_ours_is_found_in_what_an_engine_says_of_a_worker():
    error = read_worker_error(FAILED)
    assert type(error) is DataError
    assert str(error) == "data.source.path cannot be read\n  Received: '/data'"


def test_no_other_error_is_taken_for_one_of_ours():
    assert read_worker_error("RuntimeError: preprocessing.errors is a module") is None
    assert read_worker_error("preprocessing.errors.explain: no error") is None


def test_a_worker_process_that_was_killed_is_no_defect_of_ours():
    error = read_worker_error("RuntimeError: Channel closed prematurely.")
    assert type(error) is GraftError
    assert str(error) == (
        "A worker process ended in the middle of its work, as when memory runs out\n"
        "  Received: 'Channel closed prematurely'\n"
        "  See: beam.processes; docs/beam.md"
    )
