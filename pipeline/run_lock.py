"""One run at a time in a working folder.

Two would take each other's half-written artifacts for those of a killed run, share
the checkpoints of a training, and wait for each other's turn at the metadata. The
kernel lets go of the lock when its process dies, however it dies.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from preprocessing.errors import UsageError, explain

LOCK = "run.lock"


@contextlib.contextmanager
def only_run(workdir: str | Path, run_id: str) -> Iterator[bool]:
    """Keeps other runs out of a working folder while this one is in it.

    A file system that knows no locks lets every run in; then nobody knows whether
    an execution that says it is running was killed.

    Args:
        workdir: The folder, which is there.
        run_id: This run, for the message to others.

    Yields:
        Whether this run has the folder to itself.

    Raises:
        UsageError: If another run is in it; the message says which. Or if its lock
            may not be written.
    """
    path = Path(workdir) / LOCK
    alone = True
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        # Somebody else's, say, in a folder that is shared.
        what = f"The working folder cannot be locked: {error.strerror}"
        raise UsageError(explain(what, str(path))) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(_refusal(workdir, os.pread(descriptor, 4096, 0))) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
            alone = False
        holder = {"run_id": run_id, "pid": os.getpid(), "host": socket.gethostname()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield alone
    finally:
        os.close(descriptor)


def _refusal(workdir: str | Path, text: bytes) -> str:
    try:
        holder = json.loads(text)
        who = f"run {holder['run_id']}, process {holder['pid']} on {holder['host']}"
    except (ValueError, KeyError, TypeError):
        # It has the lock for a moment only, and has not written yet.
        who = "a run that is just beginning"
    return (
        f"{explain('Another run is going on in this working folder', str(workdir))}\n"
        f"  It is {who}.\n"
        "  Wait for it or stop it, or give this one a folder of its own: --set local_workdir=..."
    )
