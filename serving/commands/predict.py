"""`graft predict`: asks a server, or predicts a whole input with a model's folder."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from preprocessing.errors import GraftError
from preprocessing.progress import stage

if TYPE_CHECKING:
    from serving.batch.request import BatchReport, BatchRequest

_LOADING = "Loading TensorFlow"

_OF_A_FOLDER = (
    *("output", "kind", "keep", "max_unreadable", "shard_rows", "overwrite"),
    *("engine", "beam_args"),
)
_OF_A_SERVER = ("texts", "values", "name", "signature")

# Gives the terminal over to progress and sends everything else into a file.
Session = Callable[[Path], contextlib.AbstractContextManager]
# Looks whether an engine reaches some paths, and a folder that it writes to; gives Beam's options.
Engine = Callable[[tuple[str, ...], str], tuple[str, ...]]


@click.command()
@click.argument("model")
@click.argument("inputs", metavar="INPUT...", nargs=-1)
@click.option(
    "-o", "--output", metavar="FILE", help="A .parquet, .jsonl or .csv file; a folder needs it."
)
@click.option(
    "--kind",
    type=click.Choice(["image_folder", "csv", "tfrecord"]),
    help="What INPUT is, where its name does not tell.",
)
@click.option("--keep", multiple=True, metavar="COLUMN", help="Take along; may be repeated.")
@click.option(
    "--max-unreadable",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Fail where a larger share of the rows cannot be used.",
)
@click.option(
    "--shard-rows",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="Rows that are finished, or done again after a kill, together.",
)
@click.option("--overwrite", is_flag=True, help="Replace FILE, and what is left of another run.")
@click.option(
    "--engine", metavar="CONFIG", help="Predict on the engine of this config's `beam:` section."
)
@click.option(
    "--beam-arg",
    "beam_args",
    multiple=True,
    metavar="ARG",
    help="One of Beam's options, such as --beam-arg=--state_cache_size=100MB; may be repeated.",
)
@click.option("--text", "texts", multiple=True, help="A server: a text; may be repeated.")
@click.option(
    "--input",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="A server: one input's value, or NAME=@FILE; may be repeated.",
)
@click.option("--name", help="A server: the model, where its address does not say.")
@click.option("--signature", default="serving_default", help="A server: which of the model's.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")
@click.pass_context
def predict(
    context: click.Context,
    model: str,
    inputs: tuple[str, ...],
    output: str | None,
    engine: str | None,
    texts: tuple[str, ...],
    values: tuple[str, ...],
    name: str | None,
    signature: str,
    as_json: bool,
    **options: object,
) -> None:
    """Predict the rows of INPUT with MODEL.

    MODEL is a folder: a pushed version, a folder of versions (the newest is
    taken) or the Trainer's. INPUT is a folder of pictures, a csv table, or
    TFRecords of tf.Examples. A run that was stopped goes on when it is started
    again in the same way.

    MODEL may be a server: http://HOST:PORT/v1/models/NAME or
    grpc://HOST:PORT/NAME. Then each INPUT is a file to send, such as a picture;
    --text and --input take its place.
    """
    from serving.client.target import is_target

    if is_target(model):
        _refuse(context, _OF_A_FOLDER, "a model's folder, not for a server")
        from serving.client.predict import describe
        from serving.client.predict import predict as ask

        answers = ask(
            model, files=inputs, texts=texts, values=values, name=name, signature=signature
        )
        as_dicts = [one._asdict() for one in answers]
        click.echo(json.dumps(as_dicts, indent=2) if as_json else describe(answers))
        return
    _refuse(context, _OF_A_SERVER, "a server, not for a model's folder")
    if len(inputs) != 1 or output is None:
        raise click.UsageError("A model's folder needs one INPUT and --output")
    from serving.batch.request import BatchRequest

    request = BatchRequest.model_validate(
        {
            "model": _absolute(model),
            "input": _absolute(inputs[0]),
            "output": _absolute(output),
            **options,
        }
    )
    if not any("://" in one for one in (request.model, request.input, request.output)):
        # Importing TensorFlow takes seconds, in which a wrong path would wait for its answer.
        from serving.batch.find import check_paths

        check_paths(request)
    prepare: Engine | None = context.meta["graft.engine"](engine) if engine else None
    report = _run(request, context.obj, prepare)
    click.echo(report.model_dump_json(indent=2) if as_json else _describe(report))


def _refuse(context: click.Context, names: Collection[str], whose: str) -> None:
    """Refuses options that would be overlooked."""
    for option in context.command.params:
        name = option.name or ""
        if name in names and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"{option.opts[-1]} is for {whose}")


def _run(request: "BatchRequest", session: Session, prepare: Engine | None) -> "BatchReport":
    """Predicts, with a log that is only kept where something went wrong with it."""
    descriptor, name = tempfile.mkstemp(prefix="graft-predict-", suffix=".log")
    os.close(descriptor)
    log = Path(name)
    try:
        with session(log):
            stage(_LOADING, "started")
            began = time.monotonic()
            from serving.batch.run import predict_batch

            stage(_LOADING, "run", time.monotonic() - began)
            if prepare:
                args = prepare((request.model, request.input), os.path.dirname(request.output))
                request = request.model_copy(update={"beam_args": (*args, *request.beam_args)})
            report = predict_batch(request)
    except GraftError:
        log.unlink()
        raise
    except KeyboardInterrupt:
        log.unlink()
        click.echo("graft: stopped; run the same again to go on", err=True)
        raise click.exceptions.Exit(130) from None
    log.unlink()
    return report


def _describe(report: "BatchReport") -> str:
    lines = [f"{_near(report.output)}: {report.predicted:,} of {report.rows:,} rows predicted"]
    newest = f", the newest of {report.newest_of} versions" if report.newest_of else ""
    lines.append(f"  Model      {_near(report.model)}{newest}")
    if report.resumed_rows:
        lines.append(f"  Resumed    {report.resumed_rows:,} rows were done already")
    if report.quarantine:
        lines.append(f"  Set aside  {report.set_aside:,}, with reasons: {_near(report.quarantine)}")
    return "\n".join(lines)


def _near(path: str) -> str:
    """The path from here, where that is shorter."""
    here = os.path.relpath(path)
    return path if "://" in path or here.startswith("..") else here


def _absolute(path: str) -> str:
    return path if "://" in path else os.path.abspath(os.path.expanduser(path))
