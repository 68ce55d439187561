"""Makes .venv: `make setup`.

Picks the stack and the interpreter, checks that the one source package can be
compiled, installs the lock as it stands and Graft itself editable. GRAFT_STACK
and GRAFT_PYTHON override the choice. Exit codes: 0 ready, 1 an installation
step failed, 2 this machine lacks something (the message says what).
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.machine import Machine, compile_error, find_compiler, read_machine
from pipeline.stacks import (
    STACKS,
    CannotSetUpError,
    Interpreter,
    Stack,
    choose,
    explain_no_stack,
    explain_unbuildable,
    find_stack,
    runs_on,
)
from requirements import stamp
from requirements.interpreters import find_interpreters, probe
from requirements.uv import find_uv

ROOT = Path(__file__).resolve().parent.parent
# What every run imports.
IMPORTED = "pipeline.local, trainer.run, tensorflow_hub, tensorflow_text"


def main() -> int:
    """Sets up, or finds everything in place; returns the exit code."""
    try:
        with _alone():
            machine = read_machine()
            if not stamp.is_current(ROOT, machine, os.environ):
                with tempfile.TemporaryDirectory(prefix="graft-setup-") as folder:
                    set_up(machine, Path(folder))
    except CannotSetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except subprocess.CalledProcessError as error:
        sys.stderr.write(
            f"Set-up failed in: {' '.join(map(str, error.cmd))}\n"
            "  The reason is above. What was fetched is kept: run `make setup` again.\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: run `make setup` again, it starts over by itself.\n")
        return 130
    return 0


def set_up(machine: Machine, folder: Path) -> None:
    """Makes .venv from nothing, whatever is there.

    Args:
        machine: Where to install.
        folder: Empty folder for what is needed only now.

    Raises:
        CannotSetUpError: If no stack can work here.
        subprocess.CalledProcessError: If an installation step fails.
    """
    started = time.monotonic()
    wanted = os.environ.get("GRAFT_STACK")
    stacks = (find_stack(wanted),) if wanted else STACKS
    stack, interpreter = pick(machine, stacks, folder)
    check_buildable(machine, interpreter)
    _say(f"stack {stack.name} on Python {interpreter.version} ({interpreter.path})")
    uv, environ = find_uv(folder)
    facts = stamp.describe(ROOT, stack.name, machine, os.environ)
    stamp.remove(ROOT)
    for command in install_commands(stack, interpreter):
        subprocess.run([uv, *command], cwd=ROOT, env=environ, check=True)
    compile_imports(environ)
    stamp.write(ROOT, facts)
    _say(f"ready in {time.monotonic() - started:.0f} s: .venv/bin/graft")


def pick(machine: Machine, stacks: tuple[Stack, ...], folder: Path) -> tuple[Stack, Interpreter]:
    """Picks what to install, with an interpreter that uv fetches if none is here.

    Raises:
        CannotSetUpError: If no stack runs here, or its Python is nowhere to be had.
    """
    interpreters = find_interpreters()
    picked = choose(machine, stacks, interpreters)
    fitting = [stack for stack in stacks if runs_on(stack, machine)]
    asked = os.environ.get("GRAFT_PYTHON")
    if picked is None and fitting and not asked:
        fetched = fetch_interpreter(fitting[0].pythons[0], folder)
        picked = choose(machine, stacks, (fetched,)) if fetched else None
    if picked is None:
        wish = f"GRAFT_PYTHON is {asked!r}, so only that was tried.\n" if asked else ""
        raise CannotSetUpError(wish + explain_no_stack(machine, stacks, interpreters))
    return picked


def fetch_interpreter(version: str, folder: Path) -> Interpreter | None:
    """Lets uv find or download a Python; None where it can do neither."""
    _say(f"no Python {version} on PATH or in pyenv, asking uv for it")
    uv, environ = find_uv(folder)
    subprocess.run([uv, "python", "install", version], env=environ, check=False)
    command = [uv, "python", "find", "--no-project", version]
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return probe(found.stdout.strip()) if found.returncode == 0 else None


def check_buildable(machine: Machine, interpreter: Interpreter) -> None:
    """Raises CannotSetUpError unless a C++ extension of the interpreter compiles."""
    compiler = find_compiler()
    reason = compile_error(compiler, interpreter.include) if compiler else ""
    if not compiler or reason:
        raise CannotSetUpError(explain_unbuildable(machine, interpreter, reason))


def install_commands(stack: Stack, interpreter: Interpreter) -> tuple[tuple[str, ...], ...]:
    """Lists uv's arguments: the environment, the lock, Graft itself; nothing is resolved."""
    into = ("pip", "install", "--python", ".venv/bin/python", "--no-deps")
    return (
        ("venv", "--quiet", "--clear", "--no-project", "--python", interpreter.path, ".venv"),
        (*into, "--quiet", "--require-hashes", "-r", f"requirements/{stack.name}.lock"),
        (*into, "--quiet", "--no-build-isolation", "--editable", "."),
    )


def compile_imports(environ: Mapping[str, str]) -> None:
    """Has Python keep the compiled form of what a run imports.

    The first import would do so, and take three times as long as those that
    follow; where PYTHONDONTWRITEBYTECODE is set, as in many containers, or .venv
    cannot be written, every single one would. What cannot be imported is told by
    `graft doctor`, with its reason.
    """
    kept = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [".venv/bin/python", "-c", f"import {IMPORTED}"],
        cwd=ROOT,
        env={**kept, "TF_USE_LEGACY_KERAS": "1"},
        capture_output=True,
        check=False,
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Waits until no other set-up of this checkout is running."""
    descriptor = os.open(ROOT / "requirements", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _say(text: str) -> None:
    """Tells the user what is going on."""
    sys.stdout.write(f"set-up: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
