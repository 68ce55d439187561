"""What each engine of the `beam:` section asks of Beam."""

from pathlib import Path
from typing import get_args

import pytest

import pipeline.engines
from pipeline.beam_config import BeamConfig, places_of
from pipeline.config import load_config
from tests.pipeline.flowers import GOOD

KINDS = [one.model_fields["kind"].annotation for one in get_args(get_args(BeamConfig)[0])]
NAMES = {get_args(kind)[0] for kind in KINDS}


@pytest.fixture
def load(folder):
    def load(beam):
        (folder / "flowers.yaml").write_text(GOOD + beam)
        return load_config(folder / "flowers.yaml")

    return load


def test_every_engine_has_a_module_of_its_name():
    modules = {path.stem for path in Path(pipeline.engines.__file__).parent.glob("*.py")}
    assert {"local", "local_processes", "flink", "spark", "dataflow"} == NAMES
    assert modules >= NAMES


ARGS = {
    "": ("--runner=FnApiRunner", "--sdk_container_image=unused"),
    "beam: {kind: local}": ("--runner=FnApiRunner", "--sdk_container_image=unused"),
    # As many as there are cores where it runs.
    "beam: {kind: local_processes}": (
        "--runner=FnApiRunner",
        "--direct_running_mode=multi_processing",
        "--direct_num_workers=0",
        "--sdk_container_image=unused",
    ),
    "beam: {kind: local_processes, processes: 3}": (
        "--runner=FnApiRunner",
        "--direct_running_mode=multi_processing",
        "--direct_num_workers=3",
        "--sdk_container_image=unused",
    ),
    'beam: {kind: flink, job_endpoint: "localhost:8099"}': (
        "--runner=PortableRunner",
        "--job_endpoint=localhost:8099",
        "--environment_type=LOOPBACK",
        "--sdk_container_image=unused",
        "--parallelism=1",
    ),
    "beam: {kind: flink, jar: /a/flink.jar, master: flink:8081, parallelism: 4, "
    'workers: {kind: external, address: "localhost:50000"}, options: [--max_parallelism=8]}': (
        "--runner=FlinkRunner",
        "--flink_job_server_jar=/a/flink.jar",
        "--flink_master=flink:8081",
        "--environment_type=EXTERNAL",
        "--environment_config=localhost:50000",
        "--sdk_container_image=unused",
        "--parallelism=4",
        "--max_parallelism=8",
    ),
    "beam: {kind: spark, jar: /a/spark.jar, parallelism: 2, workers: "
    "{kind: container, image: beam, setup_file: /graft/setup.py}}": (
        "--runner=SparkRunner",
        "--spark_job_server_jar=/a/spark.jar",
        "--spark_master_url=local[*]",
        "--environment_type=DOCKER",
        "--sdk_container_image=beam",
        "--setup_file=/graft/setup.py",
        "--beam_plugin=preprocessing.worker_keras",
        "--parallelism=2",
    ),
    "beam: {kind: dataflow, project: p, region: r, temp_location: gs://b/t, image: i, "
    "max_workers: 5, machine_type: n2-standard-4, service_account: a@b}": (
        "--runner=DataflowRunner",
        "--project=p",
        "--region=r",
        "--temp_location=gs://b/t",
        "--sdk_container_image=i",
        "--max_num_workers=5",
        "--machine_type=n2-standard-4",
        "--service_account_email=a@b",
        "--beam_plugin=preprocessing.worker_keras",
    ),
}


@pytest.mark.parametrize(("beam", "args"), ARGS.items(), ids=str)
def test_an_engine_is_asked_for_by_beam_s_own_options(load, beam, args):
    config = load(beam)
    assert config.beam.beam_args(config.base) == args


def test_a_jar_is_found_beside_the_config(load, folder):
    config = load("beam: {kind: flink, jar: flink.jar}")
    assert f"--flink_job_server_jar={folder}/flink.jar" in config.beam.beam_args(config.base)


def test_beam_understands_every_option(load):
    from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions

    for beam in ARGS:
        args = load(beam).beam.beam_args(Path("/"))
        options = PipelineOptions(list(args))
        known = options.get_all_options(drop_default=True)
        lost = [one for one in args if one[2:].partition("=")[0] not in {*known, "beam_plugin"}]
        assert lost == []
        plugins = options.view_as(SetupOptions).beam_plugins or []
        assert ("preprocessing.worker_keras" in plugins) == any(
            "beam_plugin" in one for one in args
        )


def test_workers_must_reach_the_data_and_all_that_they_write(load, folder):
    """What is kept elsewhere is written, too: it need not be there before the first run."""
    pictures, workdir = str(folder / "pictures"), str(folder / ".graft")
    config = load("cache: {features: gs://b/features, spans: gs://b/spans}\n")
    assert places_of(config) == ((pictures,), (workdir, "gs://b/features"))
    config = load("workdir: gs://b/work\nbeam: {kind: local}\n")
    assert places_of(config) == ((pictures, workdir), ("gs://b/work",))


def test_workers_must_reach_the_spans_that_are_kept(load):
    config = load("cache: {spans: gs://b/spans}\n")
    source = config.data.source.model_copy(update={"path": "gs://b/day-{SPAN}"})
    data = config.data.model_copy(update={"source": source})
    places = places_of(config.model_copy(update={"data": data}))
    # What a pattern matches is looked at when it is read.
    assert places.read == ()
    assert places.work[1:] == ("gs://b/spans",)


def test_the_whole_pipeline_gets_the_options_of_its_engine(load):
    """The one place where nodes are made; each of Beam's components takes them from there."""
    text = (Path(pipeline.engines.__file__).parents[1] / "dag.py").read_text()
    assert "beam_pipeline_args=list(config.beam.beam_args(config.base))" in text


def test_what_is_set_in_other_machines_workers_is_keras_2(monkeypatch):
    import importlib
    import os

    import preprocessing.worker_keras

    monkeypatch.delenv("TF_USE_LEGACY_KERAS")
    importlib.reload(preprocessing.worker_keras)
    assert os.environ["TF_USE_LEGACY_KERAS"] == "1"
