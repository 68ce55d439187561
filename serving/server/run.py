"""The local server as a process: both protocols, signals, an orderly end."""

import contextlib
import dataclasses
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from preprocessing.errors import DataError, explain
from serving.server.limits import Limits
from serving.server.model import Model, load_model
from serving.server.ports import join, listen, taken
from serving.server.predictor import Predictor
from serving.server.rest import Rest
from serving.server.rpc import build_rpc
from serving.server.versions import Versions

# Requests that run when the server is asked to end have so long.
_GRACE_SECONDS = 10


@dataclasses.dataclass(frozen=True)
class Address:
    """Where the server listens; port 0 takes a free one."""

    host: str
    rest_port: int
    grpc_port: int


def run_server(
    path: Path,
    name: str,
    address: Address,
    limits: Limits,
    poll_seconds: float,
    on_ready: Callable[[Address], None],
    tell: Callable[[str], None],
) -> None:
    """Serves a folder of versions until SIGTERM or Ctrl-C; call it in the main thread.

    Args:
        path: The folder.
        name: What requests call the model.
        address: Where to listen.
        limits: What requests may ask for.
        poll_seconds: How often the folder is looked at.
        on_ready: Told where it listens, once requests are answered.
        tell: Told in a sentence of each change of versions.

    Raises:
        DataError: If no version can be loaded.
        UsageError: If a port is taken.
        KeyboardInterrupt: At its end, if that was Ctrl-C.
    """
    versions = Versions[Model](path, load_model, tell)
    versions.refresh()
    if not any(one.state == "AVAILABLE" for one in versions.states()):
        raise DataError(explain("No version in the folder can be loaded", str(path)))
    predictor = Predictor(name, versions, limits)
    with _asked_to_end() as ended, _serving(predictor, address, ended.set) as bound:
        watching = versions.watch(poll_seconds)
        on_ready(bound)
        ended.wait()
        versions.stop()
    watching.join(_GRACE_SECONDS)


@contextlib.contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Gives an event that SIGTERM and Ctrl-C set; Ctrl-C is raised in the end."""
    ended = threading.Event()
    got: list[int] = []

    def end(number: int, frame: object) -> None:
        got.append(number)
        ended.set()

    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in got:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _serving(
    predictor: Predictor, address: Address, on_failure: Callable[[], None]
) -> Iterator[Address]:
    """Answers both protocols until the end of the block, and finishes what runs then."""
    with listen(address.host, address.rest_port) as listening:
        try:
            rpc, grpc_port = build_rpc(predictor, join(address.host, address.grpc_port))
        except RuntimeError:
            raise taken(address.host, address.grpc_port) from None
        config = uvicorn.Config(
            Rest(predictor).app,
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            # Longer than clients keep an idle connection.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            server_header=False,
        )
        http = uvicorn.Server(config)

        def run() -> None:
            try:
                http.run(sockets=[listening])
            finally:
                on_failure()

        thread = threading.Thread(target=run, name="http")
        rpc.start()
        thread.start()
        try:
            yield Address(address.host, listening.getsockname()[1], grpc_port)
        finally:
            http.should_exit = True
            stopped = rpc.stop(_GRACE_SECONDS)
            thread.join()
            stopped.wait()
