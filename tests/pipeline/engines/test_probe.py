"""Before a run, a small job finds workers that are not as this process is."""

import pytest

from pipeline.engines import probe
from pipeline.engines.engine import NO_ARCHIVE, Places
from pipeline.engines.worker_errors import read_worker_error
from preprocessing.errors import ConfigError, DataError

LOCAL = ("--runner=FnApiRunner", NO_ARCHIVE)


@pytest.fixture
def places(tmp_path):
    (tmp_path / "data").mkdir()
    return Places((str(tmp_path / "data"),), str(tmp_path / "work"))


def refusal(places):
    with pytest.raises(ConfigError) as caught:
        probe.probe(LOCAL, places)
    return str(caught.value)


def test_workers_that_are_as_this_process_is_are_taken(places, tmp_path):
    probe.probe(LOCAL, places)
    assert list(tmp_path.rglob("*mark*")) == []


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


def test_a_folder_that_is_another_one_on_workers(places, monkeypatch):
    # What this process has written there is not what workers find.
    monkeypatch.setattr(
        probe,
        "Look",
        lambda facts, read, work, mark: LOOK(facts, read, work, (mark[0], "something else")),
    )
    assert refusal(places) == (
        "beam: a worker has another folder where the run writes\n"
        f"  Received: '{places.work}'\n"
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
