"""A database that cannot be used is refused before a run, with one clear error each."""

import contextlib
import secrets
import socketserver
import textwrap
import threading

import pytest
from ml_metadata.proto import metadata_store_pb2 as proto

from pipeline.artifact_root import pipeline_root
from pipeline.leftovers import clear_leftovers
from pipeline.metadata_check import check_metadata
from pipeline.metadata_store import open_store
from pipeline.run_record import write_begun
from pipeline.session import scout_backbones
from preprocessing.errors import UsageError
from tests import database_servers
from tests.pipeline.flowers import GOOD, load, message
from tests.pipeline.test_leftovers import STATES, Workdir

KINDS = ("mysql", "postgresql")


def config_of(folder, kind, port, **other):
    keys = {"host": "127.0.0.1", "database": "graft", "user_variable": "DB_USER"}
    keys |= {"password_variable": "DB_PASSWORD", "kind": kind, "port": port} | other
    return load(folder, GOOD + f"metadata: {keys}\n")


def refusal(config):
    with pytest.raises(UsageError) as caught:
        check_metadata(config)
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert database_servers.USER not in text
    assert database_servers.PASSWORD not in text
    return text


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("DB_USER", database_servers.USER)
    monkeypatch.setenv("DB_PASSWORD", database_servers.PASSWORD)
    # Also what the check itself sets is gone after the test.
    for name in ("MYSQL_PWD", "PGPASSWORD"):
        monkeypatch.setenv(name, "")


@contextlib.contextmanager
def listening(*packets):
    """A server that answers everything with packets of MySQL's protocol; yields its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            for number, packet in enumerate(packets):
                self.request.sendall(len(packet).to_bytes(3, "little") + bytes([2 * number]))
                self.request.sendall(packet)
                if not self.request.recv(4096):
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


GREETING = b"\x0a8.4.0\0" + bytes(4) + b"12345678\0" + bytes(18) + b"123456789012\0caching\0"


@pytest.mark.parametrize("key", ["user_variable", "password_variable"])
def test_a_variable_that_is_not_set_is_named(folder, key):
    assert refusal(config_of(folder, "postgresql", 1, **{key: "NOT_SET"})) == (
        f"metadata.{key}: this environment variable is not set\n"
        "  Received: 'NOT_SET'\n"
        "  See: docs/storage.md"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_does_not_answer_is_named(folder, kind):
    assert refusal(config_of(folder, kind, 1)) == (
        "metadata: no server answers there: Connection refused\n"
        "  Received: '127.0.0.1:1'\n"
        "  See: docs/storage.md"
    )


def test_a_user_whom_mysql_wants_to_log_in_as_ml_metadata_cannot_is_explained(folder):
    with listening(GREETING, b"\xfecaching_sha2_password\0" + bytes(21)) as port:
        assert refusal(config_of(folder, "mysql", port)) == (
            "metadata: ml-metadata logs in by mysql_native_password alone: "
            "it wants caching_sha2_password of this user, not mysql_native_password\n"
            f"  Received: '127.0.0.1:{port}'\n"
            "  See: docs/storage.md"
        )


def test_what_else_a_server_says_is_passed_on_without_the_user(folder):
    words = f"#08004Too many connections of {database_servers.USER}".encode()
    with listening(b"\xff\x10\x04" + words) as port:
        assert refusal(config_of(folder, "mysql", port)) == (
            "metadata: the database cannot be used: Too many connections of …\n"
            f"  Received: '127.0.0.1:{port}/graft'\n"
            "  See: docs/storage.md"
        )


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\n220 ready\r\n"])
def test_a_server_of_another_kind_is_not_talked_to(folder, said):
    with listening(said) as port:
        assert refusal(config_of(folder, "mysql", port)).startswith(
            "metadata: the server cannot be talked to: it does not speak MySQL's protocol\n"
        )


def test_a_password_in_the_config_is_refused_and_not_shown(folder):
    keys = "{kind: mysql, host: db, database: graft, password: 'hush hush'}"
    text = message(folder, GOOD + f"metadata: {keys}\n")
    assert "metadata.password looks like a secret; a config is no place for secrets" in text
    assert "hush" not in text


def test_an_unknown_kind_of_database_is_answered_with_those_there_are(folder):
    assert message(folder, GOOD + "metadata: {kind: postgres}\n") == textwrap.dedent(
        """\
        flowers.yaml, line 6: metadata.kind is not valid
          Received: 'postgres'
          Valid: mysql, postgresql, sqlite
          Did you mean 'postgresql'?
          See: graft schema"""
    )


def test_artifacts_of_another_database_lie_elsewhere(folder):
    roots = [pipeline_root(config_of(folder, "mysql", port)) for port in (1, 1, 2)]
    roots.append(pipeline_root(load(folder, GOOD)))
    assert roots[0] == roots[1]
    assert len(set(roots)) == 3
    assert roots[3] == str(folder / ".graft" / "artifacts")


@pytest.fixture(scope="module", params=KINDS)
def server(request):
    """A real server: its kind and port."""
    with contextlib.ExitStack() as stack:
        port, _ = database_servers.start(request.param, stack)
        yield request.param, port


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_real_server_lets_the_user_in(server, folder, host):
    check_metadata(config_of(folder, *server, host=host))


@pytest.mark.slow
def test_a_real_server_keeps_every_text_as_it_is(server, folder):
    texts = ['{"a": "\\"b\\"\\n"}', "it's", "a\nb", "C:\\", "%s $1 ? é 中", ""]
    texts += [secrets.token_hex(size) for size in (1300, 10_000)] + ["中\\" * 3000]
    store = open_store(config_of(folder, *server))
    type_id = store.put_execution_type(proto.ExecutionType(name="text"))
    execution = proto.Execution(type_id=type_id)
    for number, text in enumerate(texts):
        execution.custom_properties[str(number)].string_value = text
    (made,) = store.put_executions([execution])
    (found,) = store.get_executions_by_id([made])
    properties = found.custom_properties
    assert [properties[str(number)].string_value for number in range(len(texts))] == texts
    assert execution.custom_properties["3"].string_value == texts[3]
    # Pieces of a longer one do not outlive it.
    found.custom_properties["7"].string_value = "short"
    store.put_executions([found])
    (again,) = store.get_executions_by_id([made])
    assert again.custom_properties == found.custom_properties


@pytest.mark.slow
@pytest.mark.parametrize("key", ["user_variable", "password_variable"])
def test_a_real_server_refuses_another_user_or_password(server, folder, monkeypatch, key):
    monkeypatch.setenv("WRONG", "of-nobody")
    config = config_of(folder, *server, **{key: "WRONG"})
    assert refusal(config) == (
        "metadata: the server refuses the user or the password; they come from "
        f"{config.metadata.user_variable} and {config.metadata.password_variable}\n"
        f"  Received: '127.0.0.1:{server[1]}'\n"
        "  See: docs/storage.md"
    )


@pytest.mark.slow
def test_a_real_server_has_no_such_database(server, folder):
    assert refusal(config_of(folder, *server, database="other")) == (
        "metadata.database: the server has no such database, or the user may not use it: "
        "make it first\n"
        "  Received: 'other'\n"
        "  See: docs/storage.md"
    )


@pytest.mark.slow
def test_runs_of_other_folders_that_share_a_database_are_left_alone(server, folder):
    both = [
        config_of(folder, *server).model_copy(update={"workdir": str(folder / n)}) for n in "ab"
    ]
    ours, theirs = (Workdir(folder, config) for config in both)
    executions = []
    for name, one in (("of-a", ours), ("of-b", theirs)):
        write_begun(one.config, name, cache=True, rebaseline=False, resumed=None)
        executions.append(one.execute(name, "Trainer", STATES.RUNNING))
    assert clear_leftovers(ours.config) == ["Trainer"]
    assert [ours.state(one) for one in executions] == [STATES.FAILED, STATES.RUNNING]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_real_server_that_wants_tls_is_explained(folder, kind):
    with contextlib.ExitStack() as stack:
        port, _ = database_servers.start(kind, stack, tls=True)
        what = {
            "mysql": "the server wants TLS, which ml-metadata's clients are built without; "
            "have a tunnel on this machine speak TLS to it",
            "postgresql": "pg_hba.conf of the server has no line that lets this user in from here "
            "without TLS, which ml-metadata's clients are built without; add one, or have a tunnel "
            "on this machine speak TLS to it",
        }
        assert refusal(config_of(folder, kind, port)) == (
            f"metadata: {what[kind]}\n  Received: '127.0.0.1:{port}'\n  See: docs/storage.md"
        )


def test_scouting_is_refused_as_a_run_is(folder):
    config = config_of(folder, "mysql", 3306, user_variable="NOT_SET")
    with pytest.raises(UsageError, match="this environment variable is not set"):
        scout_backbones(config, "image", [])
