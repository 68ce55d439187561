"""Runs a conversion where it can do no harm: in a process of its own, for a limited time.

Converters abort on models that they do not know, or eat all memory; the run
must go on all the same.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.exporter.errors import ExportError

_ROOT = Path(__file__).resolve().parents[2]
# A child writes its reason behind this mark, on one line.
MARK = "graft-export-refused: "
# Lines of a child's output that go to the log.
_KEPT = 20


def run_module(module: str, *arguments: object, timeout: int, paths: Sequence[Path] = ()) -> None:
    """Runs one of our modules in a Python of its own; see `run`."""
    known = os.environ.get("PYTHONPATH")
    places = [str(_ROOT), *map(str, paths), *([known] if known else [])]
    environ = {"PYTHONPATH": os.pathsep.join(places), "TF_CPP_MIN_LOG_LEVEL": "2"}
    run([sys.executable, "-m", module, *map(str, arguments)], timeout, environ)


def run(command: Sequence[str], timeout: int, environ: Mapping[str, str]) -> None:
    """Runs a program to its end.

    Args:
        command: The program and its arguments.
        timeout: Seconds after which it is killed.
        environ: Added to this process's environment.

    Raises:
        ExportError: If it takes too long or fails; with its own reason where it
            gives one.
    """
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ExportError(f"it took longer than export.timeout_seconds, {timeout:,} s") from None
    lines = done.stdout.decode(errors="replace").splitlines()
    if done.returncode:
        # Not above: every config is read with this module, and seldom does a program fail.
        from absl import logging

        logging.warning("%s failed:\n%s", command[-1], "\n".join(lines[-_KEPT:]))
        raise ExportError(_reason(lines, done.returncode))


def _reason(lines: Sequence[str], code: int) -> str:
    told = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    if told:
        return told[-1]
    if code < 0:
        name = signal.Signals(-code).name
        hint = ", as when memory runs out" if -code == signal.SIGKILL else ""
        return f"the converter was ended by {name}{hint}"
    said = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
    return f"the converter failed with exit code {code}; its last words: {said[:300]}"
