"""The `graft` command: what its exit codes say, and how mistakes and defects are told.

0 pushed, or nothing to push; 1 failed; 2 wrong usage or config; 3 ran, but the
model was not blessed; 130 stopped by Ctrl-C. A new command is a module in
commands/ or beside what it is about, and its line in `_COMMANDS`. TensorFlow and TFX
are imported inside the commands that need them, so that help and mistakes are
answered at once.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.backbones import backbones
from pipeline.commands.cache import cache
from pipeline.commands.demo import demo
from pipeline.commands.doctor import doctor
from pipeline.commands.run import run
from pipeline.commands.runs import runs
from pipeline.commands.schema import schema
from pipeline.commands.scout import scout
from pipeline.kubeflow.command import compile_command
from pipeline.submit.command import submit
from preprocessing.errors import GraftError, UsageError, explain
from preprocessing.keras_mode import ACCEPTED, VARIABLE, check_legacy_keras
from serving.commands.predict import predict
from serving.commands.rollback import rollback
from serving.commands.serve import serve

if TYPE_CHECKING:
    from pipeline.terminal import Session

# Help lists them by name.
_COMMANDS = (
    backbones,
    cache,
    compile_command,
    demo,
    doctor,
    predict,
    rollback,
    run,
    runs,
    schema,
    scout,
    serve,
    submit,
)


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

        check_engine(config.beam, config.base, Places(read, (work,)))
        return config.beam.beam_args(config.base)

    return prepare


def _session(log: Path) -> "Session":
    from pipeline.terminal import Session

    return Session(log)


for _command in _COMMANDS:
    graft.add_command(_command)


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
