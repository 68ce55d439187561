"""Programs in a process of their own, with nothing of ours in it, and TensorFlow there already.

Importing TensorFlow takes four seconds of one core. Where more than one such
program will be asked for, as in a run, `spares` has the next process import it
ahead of time, beside work that leaves a core idle. A spare has done nothing but
import: it is as clean as a new one.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# -I: no PYTHONPATH, no user's packages, and not the folder that it is started in.
_COMMAND = (sys.executable, "-I", str(Path(__file__).with_name("clean_child.py")))


class Program(NamedTuple):
    """What a clean process is to run.

    Attributes:
        path: A Python file, run as a script.
        arguments: Its command line.
        folder: Where it runs.
        log: File that takes what it writes to standard output and error.
        environment: Variables beside those of this process.
    """

    path: Path
    arguments: Sequence[str]
    folder: Path
    log: Path
    environment: Mapping[str, str] = {}


class _Spares:
    """The process that waits, and how many more are wanted."""

    def __init__(self) -> None:
        self._wanted = 0
        self._waiting: subprocess.Popen | None = None

    def want(self, count: int) -> None:
        self._wanted = count
        if count > 0 and self._waiting is None:
            self._waiting = _start("tensorflow")
            self._wanted = count - 1

    def take(self) -> subprocess.Popen:
        process, self._waiting = self._waiting, None
        if process is not None and process.poll() is not None:
            process.communicate()
            process = None
        process = process or _start()
        # The next one imports while this one's program runs.
        self.want(self._wanted)
        return process

    def dismiss(self) -> None:
        self._wanted = 0
        if self._waiting is not None:
            self._waiting.kill()
            self._waiting.communicate()
        self._waiting = None


_SPARES = _Spares()


@contextlib.contextmanager
def spares(count: int) -> Iterator[None]:
    """Has processes ready for the next `count` programs, one at a time.

    Args:
        count: Programs that are likely to be started inside.
    """
    _SPARES.want(count)
    try:
        yield
    finally:
        _SPARES.dismiss()


def start(program: Program) -> subprocess.Popen:
    """Starts a program in a clean process, a leader of its own session.

    Args:
        program: What to run.

    Returns:
        The process. It is ended by the kernel when this one ends, however it
        ends; its standard input is a pipe, which closes then, too.
    """
    process = _SPARES.take()
    assert process.stdin is not None
    order = {
        "path": str(program.path),
        "arguments": list(program.arguments),
        "folder": str(program.folder),
        "log": str(program.log),
        "environment": dict(program.environment),
    }
    # One that died meanwhile says how by its return code, as one that dies later.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(order).encode() + b"\n")
    return process


def _start(*ahead: str) -> subprocess.Popen:
    """Starts a process that imports these modules while it waits for its program."""
    return subprocess.Popen(
        [*_COMMAND, str(os.getpid()), *ahead],
        cwd="/",
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
        stdin=subprocess.PIPE,
        # What cannot be written must not be left for closing the pipe to fail on.
        bufsize=0,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
