"""The whole pipeline in processes, on a Flink cluster and on Spark; a worker and a machine lost."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deploy import job_server, processes
from deploy.flink.cluster import start_task_manager
from pipeline.demo import write_demo
from pipeline.engines.engine import Places
from pipeline.engines.flink import FlinkEngine
from pipeline.engines.probe import probe

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
GROCERIES = SHARED / "data" / "groceries"
CLASSES = ("Avocado", "Banana", "Kiwi", "Lemon", "Mango")
# Of the test split: how far two runs with other seeds are apart.
SPREAD = 0.03
CONFIG = f"""\
name: groceries
data:
  source: {{kind: image_folder, path: pictures}}
  shard_examples: 32
features:
  image:
    kind: image
    backbone: "hub:{SHARED}/backbones/hub/mobilenet_v2_035_224_feature_vector"
evaluate:
  thresholds:
    accuracy: {{min: 0.6}}
push: {{path: serving/groceries}}
"""
missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
]
with_java = pytest.mark.skipif(bool(missing), reason=f"not on PATH: {' and '.join(missing)}")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with a config, its data and no run yet: groceries, or digits, which are here."""
    folder = tmp_path_factory.mktemp("data")
    if not GROCERIES.is_dir():
        config = write_demo(folder)
        text = config.read_text().replace("splits:", "shard_examples: 64\n  splits:")
        config.rename(folder / "graft.yaml").write_text(text)
        return folder
    for split in ("train", "val", "test"):
        for name in CLASSES:
            target = folder / "pictures" / split / name
            shutil.copytree(GROCERIES / split / name, target)
    (folder / "graft.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def local(graft, data):
    return run(graft, data, "local")


def run(graft, data, name, *beam):
    """Runs in a working folder of its own; nothing is taken over from another engine's run."""
    changes = (f"workdir={name}", f"push.path={name}/serving", *beam)
    options = [word for change in changes for word in ("--set", change)]
    result = graft("run", "graft.yaml", "--json", *options, cwd=data)
    assert result.code == 0, result.err
    assert set(result.states.values()) == {"run"}
    return result.summary, data / name


def vectors(workdir):
    """All features: by file, in the order of the examples."""
    import tensorflow as tf

    found = {}
    (artifact,) = (workdir / "artifacts" / "Embedder" / "embeddings").iterdir()
    for file in sorted(artifact.glob("Split-*/*")):
        rows = [
            tf.train.Example.FromString(one.numpy()) for one in tf.data.TFRecordDataset(str(file))
        ]
        found[str(file.relative_to(artifact))] = rows
    return artifact, found


def check_same(one, other):
    """Two runs have the same examples, once each, with the same features, and as good a model."""
    (summary, workdir), (local_summary, local_workdir) = one, other
    artifact, found = vectors(workdir)
    _, expected = vectors(local_workdir)
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in expected.items()
    }
    for name, rows in found.items():
        for row, wanted in zip(rows, expected[name], strict=True):
            assert set(row.features.feature) == set(wanted.features.feature)
            for column, feature in wanted.features.feature.items():
                values = row.features.feature[column]
                assert values.bytes_list == feature.bytes_list
                assert values.int64_list == feature.int64_list
                np.testing.assert_allclose(
                    values.float_list.value, feature.float_list.value, atol=1e-5
                )
    # Nothing half-written is left where readers look, or beside it.
    assert {path.name for path in artifact.iterdir()} == {
        path.name for path in vectors(local_workdir)[0].iterdir()
    }
    assert summary["examples"] == local_summary["examples"]
    assert summary["pushed"] is not None
    accuracy, at_home = (one["metrics"]["test"]["accuracy"] for one in (summary, local_summary))
    assert abs(accuracy - at_home) <= SPREAD


class Cluster:
    """What a script of deploy/ has brought up."""

    def __init__(self, module, folder, *options):
        self.module, self.folder = module, folder
        self._call("start", *options)

    def _call(self, action, *options):
        command = [
            sys.executable,
            "-m",
            self.module,
            action,
            "--folder",
            str(self.folder),
            *options,
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def stop(self):
        pids = [processes.pid_of(self.folder, one.stem) for one in self.folder.glob("*.pid")]
        self._call("stop")
        assert [pid for pid in pids if pid and processes.stat_of(pid)] == []


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="module")
def flink(tmp_path_factory):
    """The cluster, and what the config says of it."""
    job, rest, rpc, pool = free_ports(4)
    ports = ("--job-port", job, "--rest-port", rest, "--rpc-port", rpc, "--pool-port", pool)
    folder = tmp_path_factory.mktemp("flink")
    jars = ("--jars", str(jars_of(".flink")))
    cluster = Cluster("deploy.flink.cluster", folder, *jars, *map(str, ports))
    cluster.beam = (
        "beam.kind=flink",
        f"beam.job_endpoint=localhost:{job}",
        f"beam.workers={{kind: external, address: 'localhost:{pool}'}}",
        "beam.parallelism=2",
    )
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    (job,) = free_ports(1)
    jars = ("--jars", str(jars_of(".spark")), "--job-port", str(job))
    cluster = Cluster("deploy.spark.server", tmp_path_factory.mktemp("spark"), *jars)
    cluster.beam = (
        "beam.kind=spark",
        f"beam.job_endpoint=localhost:{job}",
        "beam.parallelism=2",
    )
    yield cluster
    cluster.stop()


def jars_of(name):
    """Kept for the next time; GRAFT_JARS names another folder."""
    return Path(os.environ.get("GRAFT_JARS", ROOT)) / name / "jars"


def test_processes_of_this_machine_make_the_same_features_and_as_good_a_model(graft, data, local):
    check_same(
        run(graft, data, "processes", "beam.kind=local_processes", "beam.processes=2"), local
    )


@with_java
def test_spark_makes_the_same_features_and_as_good_a_model(graft, data, local, spark):
    check_same(run(graft, data, "spark", *spark.beam), local)


@with_java
def test_flink_loses_and_doubles_nothing_when_a_machine_and_a_worker_are_killed(
    graft, data, local, flink
):
    """The features and the model are those of the local run, for all that."""
    folder, killed = data / "flink", []
    killer = threading.Thread(target=kill_in_the_middle, args=(folder, flink, killed))
    killer.start()
    try:
        result = run(graft, data, "flink", *flink.beam)
    finally:
        killer.join(timeout=60)
    assert [what for what, _, _ in killed] == ["TaskManager", "worker"]
    done, all_shards = killed[0][2], len(vectors(folder)[1])
    assert 0 < done < all_shards
    check_same(result, local)
    # Those that go on are enough, and the next test has all again.
    start_task_manager(flink.folder, jars_of(".flink"), 1)


def kill_in_the_middle(folder, flink, killed):
    """When the Embedder has finished a shard, kills a TaskManager and a Python worker."""
    pattern = "artifacts/Embedder/embeddings/*/Split-*/*"
    for _ in range(36_000):
        shards = len(list(folder.glob(pattern)))
        if shards:
            manager = processes.pid_of(flink.folder, "task-manager-1")
            worker = children_of(processes.pid_of(flink.folder, "worker-pool"))[0]
            for what, pid in (("TaskManager", manager), ("worker", worker)):
                os.kill(pid, signal.SIGKILL)
                killed.append((what, pid, shards))
            return
        time.sleep(0.02)


def children_of(pid):
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]


@with_java
def test_batch_prediction_runs_on_the_engine_of_a_config(graft, data, local, flink):
    model = local[1] / "serving"
    source = data / "pictures" / ("test" if (data / "pictures" / "test").is_dir() else "")
    (data / "engine.yaml").write_text((data / "graft.yaml").read_text() + as_yaml(flink.beam))
    for name, engine in (("at-home.csv", ()), ("on-flink.csv", ("--engine", "engine.yaml"))):
        result = graft(
            "predict", model, source, "--output", name, "--shard-rows", 50, *engine, cwd=data
        )
        assert result.code == 0, result.err
    at_home, on_flink = (
        [line.split(",")[:2] for line in (data / name).read_text().splitlines()]
        for name in ("at-home.csv", "on-flink.csv")
    )
    assert len(at_home) > 50
    assert on_flink == at_home


@with_java
def test_a_job_server_is_started_from_its_jar(tmp_path):
    """One job, with Flink inside the server; it is gone afterwards."""
    job_server.fetch_jars(ROOT / "deploy" / "flink" / "pom.xml", jars_of(".flink"))
    jar = tmp_path / "job-server.jar"
    driver = "org.apache.beam.runners.flink.FlinkJobServerDriver"
    libraries = " ".join(one.as_uri() for one in sorted(jars_of(".flink").resolve().glob("*.jar")))
    with zipfile.ZipFile(jar, "w") as file:
        lines = ["Manifest-Version: 1.0", f"Main-Class: {driver}", f"Class-Path: {libraries}"]
        # A line of a manifest has 72 bytes at most, and goes on after a space.
        folded = ["\n ".join(textwrap.wrap(one, 70, drop_whitespace=False)) for one in lines]
        file.writestr("META-INF/MANIFEST.MF", "\n".join(folded) + "\n")
    engine = FlinkEngine(kind="flink", jar=str(jar))
    (tmp_path / "data").mkdir()
    places = Places((str(tmp_path / "data"),), (str(tmp_path / "work"),))
    engine.check(tmp_path, places)
    probe(engine.beam_args(tmp_path), places)


def as_yaml(changes):
    lines = [change.removeprefix("beam.").replace("=", ": ", 1) for change in changes]
    return "".join(["beam:\n", *(f"  {line}\n" for line in lines)])
