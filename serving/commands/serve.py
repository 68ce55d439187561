"""`graft serve`: lets a pushed model answer requests."""

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from preprocessing.errors import DataError, UsageError, explain
from serving.quiet import silence_imports

if TYPE_CHECKING:
    from serving.engines import Choice, Serving
    from serving.server.limits import Limits
    from serving.server.run import Address

_ENGINES = ("auto", "tensorflow_model_server", "docker", "local")
_EVERYWHERE = ("0.0.0.0", "::")


@click.command()
@click.argument("path")
@click.option("--name", help="What requests call the model; PATH's last part if not given.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--rest-port", type=click.IntRange(0, 65535), default=8501, show_default=True)
@click.option("--grpc-port", type=click.IntRange(0, 65535), default=8500, show_default=True)
@click.option(
    "--engine",
    type=click.Choice(_ENGINES),
    default="auto",
    show_default=True,
    help="What serves; auto takes the first of the others that is there.",
)
@click.option(
    "--poll-seconds",
    type=click.FloatRange(0.01),
    default=1.0,
    show_default=True,
    help="Between looks at PATH; TensorFlow Serving takes whole seconds.",
)
@click.option("--max-seconds", type=float, help="For one answer.  [default: 30]")
@click.option("--max-bytes", type=int, help="Of one request.  [default: 32 MiB]")
@click.option("--max-batch", type=int, help="Examples in one request.  [default: 1024]")
@click.option("--max-queue", type=int, help="Requests that wait.  [default: 64]")
@click.option("--max-pixels", type=int, help="Of one picture.  [default: 64 million]")
@click.option("--parallel", type=int, help="Requests that run.  [default: one a core]")
@click.pass_context
def serve(
    context: click.Context,
    path: str,
    name: str | None,
    host: str,
    rest_port: int,
    grpc_port: int,
    engine: str,
    poll_seconds: float,
    **limits: float | None,
) -> None:
    """Serve the newest model in PATH, and those that are pushed there later.

    PATH is a folder of versions, as `push.path` names it. It is served by
    tensorflow_model_server if that is on PATH, by the container
    tensorflow/serving if Docker answers, or else by a server of our own, for
    development. All three speak TF Serving's REST and gRPC. The --max options
    but --max-seconds, and port 0 for a free one, are our own server's.
    """
    from serving.engines import Serving, check_host, choose_engine

    remote = "://" in path
    if remote and engine not in ("auto", "tensorflow_model_server"):
        wrong = "Of all engines only tensorflow_model_server watches an address"
        raise UsageError(explain(wrong, engine, see="--engine"))
    if rest_port == grpc_port != 0:
        wrong = "--rest-port and --grpc-port: each protocol needs a port of its own"
        raise UsageError(explain(wrong, rest_port))
    called = _name(path, name)
    given = {key: value for key, value in limits.items() if value is not None}
    checked = _limits(given)
    silence_imports()
    newest = _newest(path)
    choice = choose_engine("tensorflow_model_server" if remote else engine)
    if context.get_parameter_source("host") is not ParameterSource.DEFAULT:
        check_host(host, choice.engine)
    place = path if remote else str(Path(path).resolve())
    what = Serving(place, called, host, rest_port, grpc_port, checked.max_seconds, poll_seconds)
    click.echo(f"Serving {path} as {what.name}")
    click.echo(f"  Engine  {choice.engine}: {choice.why}")
    if choice.engine == "local":
        _serve_here(what, newest, checked)
    else:
        _become(what, newest, choice, sorted(given.keys() - {"max_seconds"}))


def _newest(path: str) -> str:
    """Finds the newest version, before anything slow is imported."""
    from components.pusher.local_target import list_versions
    from components.pusher.target import check_address, open_target

    check_address(path, "PATH")
    if (Path(path) / "saved_model.pb").is_file():
        what = "This is one version; serve the folder that holds it, where new ones will appear"
        raise UsageError(explain(what, path, see=f"graft serve {Path(path).resolve().parent}"))
    versions = open_target(path).versions() if "://" in path else list_versions(Path(path))
    if not versions:
        what = "There is no version of a model in this folder, such as 1/saved_model.pb"
        raise DataError(explain(what, path, see="graft run"))
    return f"{path.rstrip('/')}/{versions[-1]}"


def _name(path: str, name: str | None) -> str:
    chosen = Path(path).resolve().name if name is None else name
    if not re.fullmatch(r"[^/:\s]+", chosen):
        what = "A model's name has no slash, colon or space"
        raise UsageError(explain(what, chosen, see="--name"))
    return chosen


def _limits(given: dict[str, float]) -> "Limits":
    from pydantic import ValidationError

    from serving.server.limits import Limits

    try:
        return Limits.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise UsageError(explain(f"{option}: {first['msg']}", first["input"])) from None


def _become(what: "Serving", newest: str, choice: "Choice", ignored: list[str]) -> None:
    """Lets TF Serving take this process's place, so that signals reach it."""
    from serving.engines import docker_command, server_command

    if 0 in (what.rest_port, what.grpc_port):
        raise UsageError(explain(f"{choice.engine} needs its ports given", 0, see="--engine local"))
    _show_address(what, newest, what.rest_port, what.grpc_port)
    if choice.engine == "docker":
        command = docker_command(what)
    else:
        command = server_command(what)
        click.echo("  Note    it listens on every interface; it has no option for one")
    if what.poll_seconds != what.whole_poll_seconds:
        click.echo(f"  Note    it looks for versions every {what.whole_poll_seconds} s")
    if ignored:
        options = ", ".join("--" + one.replace("_", "-") for one in ignored)
        click.echo(f"  Note    it does not know {options}")
    sys.stdout.flush()
    os.execvp(command[0], command)


def _serve_here(what: "Serving", newest: str, limits: "Limits") -> None:
    from serving.server.ports import listen

    for port in (what.rest_port, what.grpc_port):
        listen(what.host, port).close()
    from serving.server.run import Address, run_server

    def ready(bound: "Address") -> None:
        _show_address(what, newest, bound.rest_port, bound.grpc_port)
        if what.host in _EVERYWHERE:
            click.echo("  Note    whoever reaches this machine can ask it")
        click.echo("Ready; Ctrl-C ends it")

    def tell(sentence: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')} {sentence}")

    address = Address(what.host, what.rest_port, what.grpc_port)
    run_server(Path(what.path), what.name, address, limits, what.poll_seconds, ready, tell)


def _show_address(what: "Serving", newest: str, rest_port: int, grpc_port: int) -> None:
    from serving.sample import sample_curl

    host = "127.0.0.1" if what.host in _EVERYWHERE else what.host
    host = f"[{host}]" if ":" in host else host
    url = f"http://{host}:{rest_port}/v1/models/{what.name}"
    click.echo(f"  REST    {url}")
    click.echo(f"  gRPC    {host}:{grpc_port}")
    click.echo(f"  Try     {sample_curl(newest, url)}")
