"""Which program serves a folder of versions, and how it is started; no TensorFlow.

TensorFlow Serving is preferred wherever it is: it is what production runs.
"""

import math
import shutil
import subprocess
from collections.abc import Sequence
from typing import Literal, NamedTuple

from preprocessing.errors import UsageError, explain

Engine = Literal["tensorflow_model_server", "docker", "local"]
ENGINES: tuple[Engine, ...] = ("tensorflow_model_server", "docker", "local")

_SERVER = "tensorflow_model_server"
_IMAGE = "tensorflow/serving"
_GRPC_PORT, _REST_PORT = 8500, 8501
_DOCKER_SECONDS = 20
EVERY_INTERFACE = "0.0.0.0"


class Choice(NamedTuple):
    """An engine, and why it is this one and none before it."""

    engine: Engine
    why: str


def choose_engine(wanted: str = "auto") -> Choice:
    """Picks the engine.

    Args:
        wanted: One of ENGINES, or `auto` for the first that is there.

    Raises:
        UsageError: If the wanted one is not there.
    """
    if wanted == "local":
        return Choice("local", "asked for")
    missing = []
    for engine, find in ((ENGINES[0], _find_server), (ENGINES[1], _find_docker)):
        if wanted not in ("auto", engine):
            continue
        found, why = find()
        if found:
            return Choice(engine, why)
        if wanted == engine:
            others = [one for one in ENGINES if one != engine]
            raise UsageError(explain(f"This engine is not there: {why}", engine, others))
        missing.append(why)
    return Choice("local", "; ".join(missing))


def _find_server() -> tuple[bool, str]:
    found = shutil.which(_SERVER)
    return bool(found), f"found at {found}" if found else f"{_SERVER} is not on PATH"


def _find_docker() -> tuple[bool, str]:
    """Asks the daemon: the program may be there without one."""
    if not shutil.which("docker"):
        return False, "docker is not on PATH"
    try:
        version = _docker("info", "--format", "{{.ServerVersion}}")
    except subprocess.TimeoutExpired:
        return False, f"docker's daemon did not answer within {_DOCKER_SECONDS} s"
    if not version:
        return False, "docker is on PATH, but its daemon does not answer"
    here = _docker("image", "inspect", "--format", "{{.Id}}", _IMAGE)
    note = "" if here else f", and fetches the image {_IMAGE} now"
    return True, f"docker {version} answers{note}"


def _docker(*arguments: str) -> str:
    """Gives what docker says, or nothing where it fails."""
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        timeout=_DOCKER_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


class Serving(NamedTuple):
    """What is to be served, and where.

    Attributes:
        path: Folder of versions, absolute, or its address.
        name: What requests call the model.
        host: Address to listen on.
        rest_port: For REST.
        grpc_port: For gRPC.
        max_seconds: From a REST request's arrival to its answer.
        poll_seconds: How often the folder is looked at.
    """

    path: str
    name: str
    host: str
    rest_port: int
    grpc_port: int
    max_seconds: float
    poll_seconds: float = 1.0

    @property
    def whole_poll_seconds(self) -> int:
        """What TensorFlow Serving, which takes whole seconds, makes of that; 0 would be once."""
        return max(1, math.ceil(self.poll_seconds))


def check_host(host: str, engine: Engine) -> None:
    """Refuses an address that was asked for where the engine has no option for one.

    See https://github.com/tensorflow/serving/issues/1969.

    Raises:
        UsageError: If requests would come from more than that address.
    """
    if engine == _SERVER and host != EVERY_INTERFACE:
        what = f"--host: {engine} listens on every interface, and has no option for one"
        raise UsageError(explain(what, host, [EVERY_INTERFACE], see="--engine docker or local"))


def server_command(what: Serving) -> list[str]:
    """How to start tensorflow_model_server, which listens on every interface."""
    return [_SERVER, *_flags(what, what.path, what.grpc_port, what.rest_port)]


def docker_command(what: Serving) -> list[str]:
    """How to start the container; its ports are seen on `host` only.

    Its usual entry point is a shell, which keeps signals from the server.
    """
    inside = f"/models/{what.name}"
    host = f"[{what.host}]" if ":" in what.host else what.host
    return [
        *("docker", "run", "--rm", "--init"),
        *("--publish", f"{host}:{what.grpc_port}:{_GRPC_PORT}"),
        *("--publish", f"{host}:{what.rest_port}:{_REST_PORT}"),
        *("--mount", f"type=bind,source={what.path},target={inside},readonly"),
        *("--entrypoint", _SERVER, _IMAGE),
        *_flags(what, inside, _GRPC_PORT, _REST_PORT),
    ]


def _flags(what: Serving, path: str, grpc_port: int, rest_port: int) -> Sequence[str]:
    return (
        f"--port={grpc_port}",
        f"--rest_api_port={rest_port}",
        f"--rest_api_timeout_in_ms={round(1000 * what.max_seconds)}",
        f"--model_name={what.name}",
        f"--model_base_path={path}",
        f"--file_system_poll_wait_seconds={what.whole_poll_seconds}",
    )
