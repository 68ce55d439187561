"""How much memory a run takes at most, with the processes that it starts.

The kernel keeps the peak of one process, and of ended children the largest, but
not of what they held together; so a thread looks, which costs a millisecond a
second. Where there is no /proc, this process alone counts.
"""

import os
import resource
import threading
from pathlib import Path

SAMPLE_SECONDS = 0.5


class PeakMemory:
    """Watches this process and its descendants; a context manager."""

    def __init__(self) -> None:
        self._sampled = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def megabytes(self) -> float:
        """The most that was held at once so far, MB of 1024² bytes.

        This process's own peak is exact; that of several together was there
        when the thread looked.
        """
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return round(max(own, self._sampled) / 1024, 1)

    def _run(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._sampled = max(self._sampled, held_kilobytes(os.getpid()))


def held_kilobytes(pid: int) -> int:
    """Sums what a process and its descendants hold.

    Files that are mapped, such as TensorFlow's library, are those of all: of
    them only the largest share counts.

    Args:
        pid: The process; one that is gone holds nothing.
    """
    sizes = [_read_sizes(one) for one in _with_descendants(pid)]
    return sum(own for own, _ in sizes) + max((mapped for _, mapped in sizes), default=0)


def _with_descendants(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            # Each thread has the children that it has started.
            for task in Path(f"/proc/{one}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    # Between fork and exec a child shows its parent's memory as its own.
    names = {one: _read_bytes(f"/proc/{one}/cmdline") for one in found}
    return [one for one in found if one == pid or names[one] != names[pid]]


def _read_sizes(pid: int) -> tuple[int, int]:
    """Kilobytes of a process's own and of files that it has mapped."""
    lines = _read_bytes(f"/proc/{pid}/status").splitlines()
    fields = dict(line.split(b":", 1) for line in lines if b":" in line)
    own, *mapped = (
        int(fields.get(name, b"0 kB").split()[0]) for name in (b"RssAnon", b"RssFile", b"RssShmem")
    )
    return own, sum(mapped)


def _read_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
