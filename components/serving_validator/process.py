"""Runs the clean process, and says what became of it where it did not end well."""

import os
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

from preprocessing.clean_process import Program, start

CHILD = Path(__file__).with_name("child.py")
_SHOWN = 300


class Ended(NamedTuple):
    """How it ended.

    Attributes:
        failure: Why nothing came of it, a clause; empty where it went through.
        log: What it wrote on its way.
    """

    failure: str
    log: str


def run(program: Program, stage: Path, timeout_seconds: float) -> Ended:
    """Runs a program to its end, and ends it where it takes too long.

    Args:
        program: What to run, in an empty folder.
        stage: File in which it says what it is doing.
        timeout_seconds: After which it is killed, with all that it started.

    Returns:
        How it ended.
    """
    late = False
    with start(program) as process:
        try:
            code = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            late = True
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
    # There is none where it died before it could begin.
    log = program.log
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    doing = stage.read_text(encoding="utf-8") if stage.is_file() else "starting"
    if late:
        return Ended(f"did not end within {timeout_seconds:g} s; it was {doing}", said)
    return Ended(_explain(code, doing, said), said)


def _explain(code: int, doing: str, said: str) -> str:
    if code == 0:
        return ""
    if code == -signal.SIGKILL:
        return f"was killed (SIGKILL) while {doing}, most likely for want of memory"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = f": {lines[-1][:_SHOWN]}" if lines else ""
    if code < 0:
        return f"crashed ({signal.Signals(-code).name}) while {doing}{last}"
    return f"ended with exit code {code} while {doing}{last}"
