"""Processes that stay up after the command that starts them: started, and stopped by pid.

Standard library only. Each process has `NAME.pid` and `NAME.log` in a folder
outside of git, leads a group of its own, and is told from another that was
given its number later by when it began.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def fail(message: str) -> None:
    """Ends with a message and exit code 2."""
    sys.stderr.write(f"{message}\n")
    sys.exit(2)


def say(text: str) -> None:
    """Tells whoever waits."""
    sys.stderr.write(f"{text}\n")


def start(
    folder: Path, name: str, command: Sequence[str], env: Mapping[str, str] | None = None
) -> int:
    """Starts a process that is not running yet.

    Args:
        folder: Where its pid and log are kept.
        name: Its name there.
        command: What to run.
        env: Variables beside those of this process.

    Returns:
        Its pid.
    """
    folder.mkdir(parents=True, exist_ok=True)
    running = pid_of(folder, name)
    if running:
        return running
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    begun = _begun(process.pid)
    (folder / f"{name}.pid").write_text(json.dumps([process.pid, begun]))
    return process.pid


def wait_until(
    folder: Path, name: str, ready: Callable[[], bool], what: str, seconds: float = 300
) -> None:
    """Waits until a process that was started is ready, and ends all where it does not become so.

    Args:
        folder: Where its pid and log are kept.
        name: Its name there.
        ready: Whether it is; may raise OSError for no.
        what: What it does not do, if it is not.
        seconds: How long to wait.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and pid_of(folder, name):
        with contextlib.suppress(OSError):
            if ready():
                return
        time.sleep(0.5)
    log = (folder / f"{name}.log").read_text(errors="replace")[-2000:]
    stop_all(folder)
    fail(f"{name} {what}:\n{log}")


def wait_for_port(folder: Path, name: str, port: int, seconds: float = 300) -> None:
    """Waits until a process that was started listens; see `wait_until`."""

    def listens() -> bool:
        with socket.create_connection(("localhost", port), 1):
            return True

    wait_until(folder, name, listens, f"does not listen on port {port}", seconds)


def check_free(ports: Mapping[str, int]) -> None:
    """Refuses a port that something listens on already."""
    for option, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                fail(f"port {port} is taken; choose another by {option}")


def pid_of(folder: Path, name: str) -> int | None:
    """Gives the pid of a process that runs, None where it does not."""
    with contextlib.suppress(OSError, ValueError):
        pid, begun = json.loads((folder / f"{name}.pid").read_text())
        if begun and _begun(pid) == begun:
            return pid
    return None


def stop(folder: Path, name: str, seconds: float = 20) -> None:
    """Ends a process and its group, by force where it takes too long."""
    pid = pid_of(folder, name)
    if pid:
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, seconds)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)
            until = time.monotonic() + patience
            while time.monotonic() < until and pid_of(folder, name):
                time.sleep(0.1)
    (folder / f"{name}.pid").unlink(missing_ok=True)


def stop_all(folder: Path) -> list[str]:
    """Ends everything that a folder knows, the last first.

    Returns:
        Their names.
    """
    files = sorted(folder.glob("*.pid"), key=lambda one: one.stat().st_mtime, reverse=True)
    for file in files:
        stop(folder, file.stem)
    return [file.stem for file in files]


def show(folder: Path) -> None:
    """Lists what a folder knows: pid, and CPU time with that of children that have ended."""
    for file in sorted(folder.glob("*.pid")):
        pid = pid_of(folder, file.stem)
        fields = stat_of(pid) if pid else None
        ticks = sum(map(int, fields[10:14])) if fields else 0
        seconds = ticks / os.sysconf("SC_CLK_TCK")
        say(f"{file.stem}: pid {pid}, {seconds:.0f} s of CPU" if pid else f"{file.stem}: ended")


def _begun(pid: int) -> str | None:
    """When a process began, in the system's own units; None where it has ended."""
    fields = stat_of(pid)
    return fields[18] if fields else None


def stat_of(pid: int) -> list[str] | None:
    """What the system counts of a process, from its parent on; None where it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields
