"""A MariaDB and a PostgreSQL from Debian's packages, each a process of a test's own.

On loopback, at a free port, with a data folder that goes with the test. Neither runs as
root, so where the tests do, the servers run as `nobody`.
"""

import contextlib
import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

# Of names that are nowhere else, so that a test can look for them.
NAME, USER, PASSWORD = "graft", "vera_whoruns", "hush-hush-71"
_SECONDS = 300


def start(kind, stack, tls=False):
    """Starts a server with an empty database; skips the test where it is not installed.

    Args:
        kind: `mysql` or `postgresql`.
        stack: An ExitStack, which ends it.
        tls: Whether nobody is let in without TLS.

    Returns:
        Its port, and the file of its certificate, made for `localhost` and 127.0.0.1.
    """
    program = _find(kind)
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the servers' certificates")
    # Not pytest's folder, which is for its user alone.
    folder = Path(tempfile.mkdtemp(prefix="graft-db-", dir="/tmp"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    certificate = _make_certificate(folder)
    _give_away(folder)
    port = _free_port()
    command = _mariadb if kind == "mysql" else _postgres
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command(program, folder, port, tls), stdout=log, stderr=log, cwd="/", **_as_nobody()
        )
    stack.callback(_end, server)
    _wait(server, port, folder / "log")
    return port, certificate


def _find(kind):
    if kind == "mysql":
        names, package = ["/usr/sbin/mariadbd"], "mariadb-server-core"
    else:
        names, package = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres")), "postgresql"
    program = shutil.which(Path(names[-1]).name if names else "postgres") or next(
        filter(os.path.exists, reversed(names)), None
    )
    if program is None:
        pytest.skip(f"no server to run: apt-get install {package}")
    return os.path.realpath(program)


def _mariadb(program, folder, port, tls):
    data, first = folder / "data", folder / "first.sql"
    data.mkdir()
    tables = "".join(
        Path(glob.glob(f"/usr/share/m*/m*_system_tables{part}.sql")[0]).read_text()
        for part in ("", "_data")
    )
    plain = [program, "--no-defaults", f"--datadir={data}", "--innodb-log-file-size=8M"]
    _give_away(folder)
    _run([*plain, "--bootstrap"], folder, f"CREATE DATABASE mysql;\nUSE mysql;\n{tables}")
    first.write_text(
        f"CREATE DATABASE {NAME};\nCREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL ON {NAME}.* TO '{USER}'@'%';\n"
    )
    return [
        *plain,
        f"--init-file={first}",
        "--bind-address=127.0.0.1",
        f"--port={port}",
        f"--socket={folder}/socket",
        f"--ssl-cert={folder}/certificate.pem",
        f"--ssl-key={folder}/key.pem",
        f"--require-secure-transport={'ON' if tls else 'OFF'}",
    ]


def _postgres(program, folder, port, tls):
    data, secret = folder / "data", folder / "secret"
    secret.write_text("of-the-owner\n")
    initdb = str(Path(program).with_name("initdb"))
    options = ["-U", "owner", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
    _run([initdb, "-D", str(data), *options], folder, "")
    first = f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';\nCREATE DATABASE {NAME} OWNER {USER};"
    _run([program, "--single", "-D", str(data), "postgres"], folder, f"{first}\n")
    if tls:
        (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": folder / "certificate.pem",
        "ssl_key_file": folder / "key.pem",
    }
    return [program, "-D", str(data), *(f"--{key}={value}" for key, value in settings.items())]


def _make_certificate(folder):
    certificate = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", str(folder / "key.pem"), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return certificate


def _as_nobody():
    if os.getuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _give_away(folder):
    if os.getuid() == 0:
        for one in (folder, *folder.rglob("*")):
            shutil.chown(one, "nobody")
    folder.chmod(0o755)


def _run(command, folder, text):
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=folder, **_as_nobody()
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait(server, port, log):
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


def _end(server):
    # Quickly and cleanly, in both programs' own words.
    server.terminate()
    try:
        server.wait(60)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
