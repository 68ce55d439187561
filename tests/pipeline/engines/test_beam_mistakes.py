"""Every mistake in the `beam:` section is found before anything runs, with one message."""

import textwrap
import zipfile
from concurrent import futures

import grpc
import pytest

from pipeline.beam_config import places_of
from pipeline.config import load_config
from preprocessing.errors import ConfigError
from tests.pipeline.flowers import GOOD, message

MISTAKES = {
    "another engine": (
        "beam: {kind: flnk}",
        """\
        flowers.yaml, line 6: beam.kind is not valid
          Received: 'flnk'
          Valid: dataflow, flink, local, local_processes, spark
          Did you mean 'flink'?
          See: graft schema""",
    ),
    "no server": (
        "beam: {kind: flink}",
        """\
        flowers.yaml, line 6: beam: needs one of them: a job server that is up, or its jar
          Received: []
          Valid: job_endpoint, jar""",
    ),
    "a master of a server that is up": (
        'beam: {kind: flink, job_endpoint: "localhost:1", master: "flink:8081"}',
        """\
        flowers.yaml, line 6: beam: master is for jar; job_endpoint knows its own
          Received: 'flink:8081'""",
    ),
    "an address without a port": (
        "beam: {kind: spark, job_endpoint: localhost}",
        r"""        flowers.yaml, line 6: beam.job_endpoint is not valid
          Received: 'localhost'
          Valid: text that matches ^[A-Za-z0-9.\-]+:[0-9]{1,5}$, such as localhost:8099, null
          See: graft schema""",
    ),
    "threads of this process for a cluster elsewhere": (
        'beam: {kind: flink, job_endpoint: "flink.example.org:8099"}',
        """\
        flowers.yaml, line 6: beam: workers.kind: loopback workers are threads of this process; \
a cluster elsewhere (flink.example.org:8099) has others
          Received: 'loopback'
          Valid: external, container
          See: docs/beam.md""",
    ),
    "the same with a jar": (
        'beam: {kind: spark, jar: spark.jar, master: "spark://spark.example.org:7077"}',
        """\
        flowers.yaml, line 6: beam: workers.kind: loopback workers are threads of this process; \
a cluster elsewhere (spark://spark.example.org:7077) has others
          Received: 'loopback'
          Valid: external, container
          See: docs/beam.md""",
    ),
    "an option that is none": (
        "beam: {kind: local, options: [runner]}",
        r"""        flowers.yaml, line 6: beam.options.0 is not valid
          Received: 'runner'
          Valid: text, not empty that matches ^--\w+(=.*)?$, such as --state_cache_size=100MB
          See: graft schema""",
    ),
    "workers without our packages": (
        "beam: {kind: dataflow, project: p, region: r, temp_location: gs://b/t}",
        """\
        flowers.yaml, line 6: beam: needs one of them, for workers to have our packages
          Received: 'neither'
          Valid: image, setup_file""",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_when_the_config_is_read(mistake, folder):
    text, expected = MISTAKES[mistake]
    assert message(folder, GOOD + text + "\n") == textwrap.dedent(expected)


@pytest.mark.parametrize(
    "given",
    [
        'kind: flink, job_endpoint: "127.0.0.1:8099"',
        'kind: flink, jar: a.jar, master: "localhost:8081"',
        'kind: flink, jar: a.jar, master: "[auto]"',
        'kind: spark, jar: a.jar, master: "spark://localhost:7077"',
        'kind: spark, jar: a.jar, master: "local[2,4]"',
        "kind: spark, jar: a.jar, master: local",
    ],
)
def test_a_cluster_of_this_machine_has_the_threads_of_this_process(given, folder):
    (folder / "flowers.yaml").write_text(f"{GOOD}beam: {{{given}}}")
    assert load_config(folder / "flowers.yaml").beam.workers.kind == "loopback"


@pytest.fixture
def refusal(folder):
    def refusal(beam):
        (folder / "flowers.yaml").write_text(GOOD + beam)
        config = load_config(folder / "flowers.yaml")
        with pytest.raises(ConfigError) as caught:
            config.beam.check(config.base, places_of(config))
        return str(caught.value)

    return refusal


@pytest.fixture
def serve():
    """Serves gRPC on loopback: replies by method."""
    servers = []

    def serve(replies):
        def answer(method):
            reply = replies.get(method.method)
            handler = lambda request, context: reply  # noqa: E731
            return reply is not None and grpc.unary_unary_rpc_method_handler(handler) or None

        handlers = type(
            "Handlers", (grpc.GenericRpcHandler,), {"service": lambda _, one: answer(one)}
        )
        server = grpc.server(futures.ThreadPoolExecutor(1), handlers=[handlers()])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        return f"localhost:{port}"

    yield serve
    for server in servers:
        server.stop(0)


DESCRIBE = "/org.apache.beam.model.job_management.v1.JobService/DescribePipelineOptions"
STOP = "/org.apache.beam.model.fn_execution.v1.BeamFnExternalWorkerPool/StopWorker"


def test_a_job_server_and_a_pool_that_answer_are_taken(serve, folder):
    server, pool = serve({DESCRIBE: b"flink_master"}), serve({STOP: b""})
    (folder / "flowers.yaml").write_text(
        f'{GOOD}beam: {{kind: flink, job_endpoint: "{server}", '
        f'workers: {{kind: external, address: "{pool}"}}}}'
    )
    config = load_config(folder / "flowers.yaml")
    config.beam.check(config.base, places_of(config))
    assert config.beam.probed
    assert config.beam.hint() == ""


def test_a_job_server_that_is_not_up(refusal):
    assert refusal('beam: {kind: flink, job_endpoint: "localhost:1"}') == (
        "beam.job_endpoint: Flink's job server does not answer\n"
        "  Received: 'localhost:1'\n"
        "  See: docs/beam.md"
    )


def test_something_else_than_a_job_server(serve, refusal):
    address = serve({})
    assert refusal(f'beam: {{kind: spark, job_endpoint: "{address}"}}') == (
        "beam.job_endpoint: what answers is not Spark's job server\n"
        f"  Received: '{address}'\n"
        "  See: docs/beam.md"
    )


def test_the_job_server_of_another_engine(serve, refusal):
    address = serve({DESCRIBE: b"flink_master"})
    assert refusal(f'beam: {{kind: spark, job_endpoint: "{address}"}}') == (
        "beam.job_endpoint: this is a job server of Beam, but not for Spark\n"
        f"  Received: '{address}'\n"
        "  See: docs/beam.md"
    )


def test_a_pool_that_only_the_cluster_reaches_is_left_to_a_small_job(serve, folder):
    """`localhost` is another machine on each of the cluster's; here nothing need listen."""
    server = serve({DESCRIBE: b"flink_master"})
    (folder / "flowers.yaml").write_text(
        f'{GOOD}beam: {{kind: flink, job_endpoint: "{server}", '
        'workers: {kind: external, address: "localhost:1"}}'
    )
    config = load_config(folder / "flowers.yaml")
    config.beam.check(config.base, places_of(config))
    assert config.beam.hint() == (
        "beam.workers.address: the pool of workers does not answer: localhost:1"
    )


def test_a_jar_that_is_not_there(refusal, folder, java):
    assert refusal("beam: {kind: flink, jar: flink.jar}") == (
        f"beam.jar is no jar that exists\n  Received: '{folder}/flink.jar'\n  See: docs/beam.md"
    )


def test_a_jar_of_something_else(refusal, folder, java):
    with zipfile.ZipFile(folder / "flink.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Main-Class: org.example.Other\n")
    assert refusal("beam: {kind: flink, jar: flink.jar}") == (
        "beam.jar is not Beam's job server for Flink\n"
        f"  Received: '{folder}/flink.jar'\n"
        "  See: docs/beam.md"
    )


def test_a_jar_without_java(refusal, folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    assert refusal("beam: {kind: flink, jar: flink.jar}") == (
        "beam.jar needs java, which is not on PATH\n"
        f"  Received: '{folder}/flink.jar'\n"
        "  See: docs/beam.md"
    )


@pytest.fixture
def java(folder, monkeypatch):
    """Something on PATH of that name; it is not started here."""
    (folder / "java").write_text("")
    (folder / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


DATAFLOW = "beam: {kind: dataflow, project: p, region: r, temp_location: gs://b/t, "


def test_dataflow_without_gs(refusal, folder):
    assert refusal(DATAFLOW + "image: i}") == (
        "beam.kind: Dataflow's workers reach gs:// alone, and a run needs this path\n"
        f"  Received: '{folder}/pictures'\n"
        "  See: docs/beam.md"
    )


def test_a_setup_file_of_another_name(refusal):
    assert refusal(DATAFLOW + "setup_file: pyproject.toml}") == (
        "beam.setup_file must be a setup.py that exists\n"
        "  Received: 'pyproject.toml'\n"
        "  See: docs/beam.md"
    )


def test_an_image_of_another_beam(refusal):
    from apache_beam import __version__ as beam

    from pipeline.engines.workers import sys

    python = "{}.{}".format(*sys.version_info)
    assert refusal(DATAFLOW + '"image": "apache/beam_python3.7_sdk:2.40.0"}') == (
        "beam.image: workers must have the Python and the Beam of this process\n"
        "  Received: 'apache/beam_python3.7_sdk:2.40.0'\n"
        f"  Valid: beam_python{python}_sdk:{beam}\n"
        f"  Did you mean 'beam_python{python}_sdk:{beam}'?\n"
        "  See: docs/beam.md"
    )
    image = f"apache/beam_python{python}_sdk:{beam}"
    assert refusal(DATAFLOW + f'"image": "{image}"}}') == (
        "beam.image: Beam's own image has none of our packages; give setup_file, or an image\n"
        f"  Received: '{image}'\n"
        "  See: docs/beam.md"
    )
