"""The process behind clean_process.py: waits for a program, and becomes it.

Run as a script by itself; imports nothing of ours, but ahead of time the modules
that its arguments name, behind the process that waits for it.
"""

import contextlib
import ctypes
import importlib
import json
import os
import runpy
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Reads one line of JSON from standard input, and runs what it names."""
    # Whoever waits for this process may be killed.
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    parent, *ahead = sys.argv[1:]
    if os.getppid() != int(parent):
        return
    for name in ahead:
        # One that cannot be imported is the program's to report.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    # Not a byte more than the line: the rest is the program's.
    line = bytearray()
    while (one := os.read(0, 1)) not in (b"", b"\n"):
        line += one
    if not line:
        return
    order = json.loads(line)
    os.environ.update(order["environment"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(order["folder"])
    sys.argv = [order["path"], *order["arguments"]]
    runpy.run_path(order["path"], run_name="__main__")


if __name__ == "__main__":
    main()
