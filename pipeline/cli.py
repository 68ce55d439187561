"""The `graft` command: what its words mean and what its exit codes say.

0 pushed, or nothing to push; 1 failed; 2 wrong usage or config; 3 ran, but the
model was not blessed; 130 stopped by Ctrl-C. A new command is a function here.
TensorFlow and TFX are imported inside the commands that need them, so that
help and mistakes are answered at once.
"""

import dataclasses
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.kubeflow.command import compile_command
from pipeline.submit.command import submit
from preprocessing.errors import GraftError, UsageError, explain
from preprocessing.keras_mode import ACCEPTED, VARIABLE, check_legacy_keras
from serving.commands.predict import predict
from serving.commands.rollback import rollback
from serving.commands.serve import serve

if TYPE_CHECKING:
    from pipeline.terminal import Session


class _Group(click.Group):
    """Answers an unknown command with the closest one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            valid = self.list_commands(ctx)
            raise UsageError(explain("graft has no such command", args[0], valid, "graft --help"))
        return super().resolve_command(ctx, args)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments without the program's name; None takes the real ones.

    Returns:
        The exit code.
    """
    try:
        code = graft.main(args=argv, prog_name="graft", standalone_mode=False)
        sys.stdout.flush()
    except GraftError as error:
        return _fail(str(error), error.exit_code)
    except click.UsageError as error:
        return _fail(_explain_usage(error), 2)
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        return _fail("stopped", 130)
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep Python from saying so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        return _fail(_explain_crash(error), 1)
    return code if isinstance(code, int) else 0


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="graft-tfx", prog_name="graft", message="%(prog)s %(version)s")
@click.pass_context
def graft(ctx: click.Context) -> None:
    """Turns pictures and a pretrained backbone into a validated model."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        return
    # For commands of packages that know nothing of ours.
    ctx.obj = _session
    ctx.meta["graft.engine"] = _engine
    # Before anything can import TensorFlow, which decides then.
    os.environ.setdefault(VARIABLE, ACCEPTED[0])
    if ctx.invoked_subcommand != "doctor":
        check_legacy_keras()


def _engine(path: str) -> Callable[[tuple[str, ...], str], tuple[str, ...]]:
    """Reads the engine of a config; what it gives looks at it and says Beam's options."""
    from pipeline.config import load_config
    from pipeline.engines.engine import Places

    config = load_config(path, must_exist=False)

    def prepare(read: tuple[str, ...], work: str) -> tuple[str, ...]:
        from pipeline.engines.probe import check_engine

        check_engine(config.beam, config.base, Places(read, work))
        return config.beam.beam_args(config.base)

    return prepare


def _session(log: Path) -> "Session":
    from pipeline.terminal import Session

    return Session(log)


_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")


@graft.command()
@click.argument("config", type=click.Path(dir_okay=False))
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a value of the config, such as train.epochs=5; may be repeated.",
)
@click.option("--span", metavar="N", help="Take this span of the data for the last one.")
@click.option("--no-cache", is_flag=True, help="Do everything again, even what did not change.")
@click.option(
    "--rebaseline",
    is_flag=True,
    help="Do not compare with the last blessed model; a model that is blessed takes its place.",
)
@click.option("--resume", is_flag=True, help="Go on with the last run, which ended early.")
@_AS_JSON
def run(
    config: str,
    overrides: tuple[str, ...],
    span: str | None,
    no_cache: bool,
    rebaseline: bool,
    resume: bool,
    as_json: bool,
) -> int:
    """Run the pipeline that CONFIG describes, from data to a pushed model."""
    from pipeline.config import load_config

    if resume and no_cache:
        what = "--resume takes over what is finished, and --no-cache does everything again"
        raise UsageError(explain(what, "--resume --no-cache", ["--resume", "--no-cache"]))
    if span is not None:
        overrides = (*overrides, f"data.spans.to={span}")
    checked = load_config(config, overrides)
    from pipeline.session import run_pipeline, show

    summary = run_pipeline(checked, cache=not no_cache, rebaseline=rebaseline, resume=resume)
    return show(summary, as_json)


@graft.command()
@click.option(
    "--workdir",
    type=click.Path(file_okay=False, path_type=Path),
    default="graft-demo",
    show_default=True,
    help="Folder for the demo's data, config and model.",
)
@_AS_JSON
def demo(workdir: Path, as_json: bool) -> int:
    """Run the whole pipeline on handwritten digits, offline."""
    from pipeline.session import run_demo, show

    return show(run_demo(workdir), as_json)


@graft.command()
@_AS_JSON
def doctor(as_json: bool) -> int:
    """Say what is wrong with this machine and how to mend it."""
    from pipeline.doctor import run_checks
    from pipeline.render import render_checks
    from pipeline.session import console

    with console(stderr=True).status("Looking at this machine; importing TFX takes a while"):
        checks = run_checks()
    if as_json:
        _echo_json([dataclasses.asdict(check) for check in checks])
    else:
        render_checks(checks, console())
    return 1 if any(check.status == "fail" for check in checks) else 0


@graft.command()
@click.argument("place", required=False)
@click.option("--prune", is_flag=True, help="Delete what is beyond the limit, the oldest first.")
@click.option("--max-gb", type=click.FloatRange(min=0), help="--prune: leave so much.")
@click.option("--older-than", metavar="30d", help="--prune: delete what was not used for so long.")
@click.option("--all", "everything", is_flag=True, help="--prune: delete all.")
@_AS_JSON
def cache(
    place: str | None,
    prune: bool,
    max_gb: float | None,
    older_than: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Show which feature vectors are kept for later runs, and delete of them.

    PLACE is a config, a working folder or a feature store; without it, the working
    folder .graft is meant. Runs that go on meanwhile compute anew what they miss.
    """
    if not prune and (max_gb is not None or older_than or everything):
        raise click.UsageError("--max-gb, --older-than and --all say what --prune deletes: add it")
    if everything and (max_gb is not None or older_than):
        raise click.UsageError("--all excludes --max-gb and --older-than")
    from pipeline import feature_cache

    age = None if older_than is None else feature_cache.parse_age(older_than)
    store = feature_cache.find_store(place)
    pruned = None
    if prune:
        # An age by itself leaves what is younger, however much it is.
        limit = store.max_bytes if age is None else float("inf")
        limit = limit if max_gb is None else max_gb * 1e9
        pruned = feature_cache.prune_store(store, 0.0 if everything else limit, age)
    content = feature_cache.look(store, pruned)
    if as_json:
        _echo_json(content)
        return
    from pipeline.session import console

    feature_cache.render_cache(content, console())


@graft.command()
@click.argument("config", type=click.Path(dir_okay=False))
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="As for graft run.")
@click.option("--feature", help="Whose backbones are compared, where several features have one.")
@click.option(
    "--backbone",
    "handles",
    metavar="HANDLE",
    multiple=True,
    help="Compare this one with the config's; may be repeated. Without any, those of `graft "
    "backbones` that are in the working folder already.",
)
@_AS_JSON
def scout(
    config: str,
    overrides: tuple[str, ...],
    feature: str | None,
    handles: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare backbones on the data of CONFIG; a run with one finds its vectors there."""
    from pipeline.config import load_config
    from pipeline.scout_report import find_candidates, find_feature, render_scouted

    checked = load_config(config, overrides)
    name = find_feature(checked, feature)
    candidates = find_candidates(checked, name, handles)
    from pipeline.session import console, scout_backbones

    found = scout_backbones(checked, name, candidates)
    if as_json:
        _echo_json([one.model_dump() for one in found])
    else:
        render_scouted(found, console())


@graft.command()
@click.argument("place", required=False)
@_AS_JSON
def runs(place: str | None, as_json: bool) -> None:
    """List the runs of a working folder, and what came of each.

    PLACE is a config or a working folder; without it, .graft is meant.
    """
    from pipeline.runs import find_runs, render_runs
    from pipeline.session import console

    lines = find_runs(place)
    if as_json:
        _echo_json([one.model_dump() for one in lines])
    else:
        render_runs(lines, console())


@graft.command()
@_AS_JSON
def backbones(as_json: bool) -> None:
    """List the backbone handles that are understood."""
    from pipeline.render import render_handles
    from pipeline.session import console
    from trainer.backbones.handles import HANDLE_KINDS

    if as_json:
        _echo_json([kind.model_dump() for kind in HANDLE_KINDS])
    else:
        render_handles(HANDLE_KINDS, console())


@graft.command()
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write into this file."
)
def schema(output: Path | None) -> None:
    """Print the config's JSON Schema, for editors."""
    from pipeline.json_schema import json_schema_text

    if output is None:
        click.echo(json_schema_text(), nl=False)
        return
    try:
        output.write_text(json_schema_text(), encoding="utf-8")
    except OSError as error:
        what = f"The schema cannot be written: {error.strerror}"
        raise UsageError(explain(what, str(output))) from None


graft.add_command(compile_command)
graft.add_command(predict)
graft.add_command(rollback)
graft.add_command(serve)
graft.add_command(submit)


def _echo_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def _fail(message: str, code: int) -> int:
    click.echo(f"graft: {message}", err=True)
    return code


def _explain_usage(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "graft"
    if isinstance(error, click.NoSuchOption) and error.ctx:
        options = [name for param in error.ctx.command.params for name in param.opts]
        valid = [name for name in (*options, "--help") if name.startswith("-")]
        what = f"{command} has no such option"
        return explain(what, error.option_name, valid, f"{command} --help")
    return f"{error.format_message()}\n  See: {command} --help"


def _explain_crash(error: Exception) -> str:
    log = getattr(error, "log", None)
    text = str(error)
    if log is None:
        with tempfile.NamedTemporaryFile(
            "w", prefix="graft-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            traceback.print_exception(error, file=file)
        log, text = file.name, f"{type(error).__name__}: {error}"
    first = text.strip().split("\n")[0]
    return f"this is a defect, not a mistake of yours: {first}\n  Log with the traceback: {log}"
