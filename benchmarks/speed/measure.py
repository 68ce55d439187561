"""One whole process, started anew and watched from outside.

Linux only: everything is read from /proc and from what the kernel says when the
process is reaped. A new figure is a field of `Usage`.
"""

import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.5
# Until the first sample: short commands have ended before the next one.
FIRST_SAMPLE_SECONDS = 0.08
_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


@dataclass(frozen=True)
class Usage:
    """What a process and all its descendants took.

    Attributes:
        code: The exit code; negative where a signal ended it.
        wall_s: Seconds from start to end.
        user_s: CPU seconds in user mode, of the process and all its descendants.
        system_s: The same in the kernel.
        peak_mb: Largest resident memory of the whole tree, sampled; see `held_bytes`.
        written_bytes: Sent to the disk by the tree; 0 on a tmpfs.
        killed: Whether `watch` had it killed.
        peak_at: When memory was at its peak, seconds since 1970.
    """

    code: int
    wall_s: float
    user_s: float
    system_s: float
    peak_mb: float
    written_bytes: int
    killed: bool = False
    peak_at: float = 0.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of both kinds."""
        return self.user_s + self.system_s


def measure(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    watch: Callable[[], bool] | None = None,
) -> Usage:
    """Runs a command to its end.

    Args:
        command: Program and arguments.
        log: Gets what it writes to standard output and standard error.
        cwd: Where it runs.
        environ: Its whole environment; None takes ours.
        watch: Called about twice a second; once it says True, the process
            and its descendants are killed with SIGKILL.

    Returns:
        What it took.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    _adopt_orphans()
    with log.open("wb") as file:
        written = _written_by_us()
        started = time.perf_counter()
        # Its own group, so that a kill reaches all of it; no Popen.wait, which
        # would throw away what the kernel says of the process.
        process = subprocess.Popen(
            list(command), stdout=file, stderr=file, cwd=cwd, env=environ, start_new_session=True
        )
        sampler = _Sampler(process.pid, watch)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            _kill_group(process.pid)
            raise
        finally:
            sampler.stop()
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        # Nothing of it may disturb the next one.
        _kill_group(process.pid)
        all_used = [used, *_reap_group(process.pid)]
    return Usage(
        code=process.returncode,
        wall_s=wall,
        user_s=sum(one.ru_utime for one in all_used),
        system_s=sum(one.ru_stime for one in all_used),
        peak_mb=max(sampler.peak_mb, 0.0),
        written_bytes=_written_by_us() - written,
        killed=sampler.killed,
        peak_at=sampler.peak_at,
    )


class _Sampler:
    """Looks at a process tree from a thread of its own."""

    def __init__(self, pid: int, watch: Callable[[], bool] | None) -> None:
        self._pid, self._watch = pid, watch
        self._done = threading.Event()
        self.peak_mb = self.peak_at = 0.0
        self.killed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pause = FIRST_SAMPLE_SECONDS
        while not self._done.wait(pause):
            pause = SAMPLE_SECONDS
            held_mb = held_bytes(descendants(self._pid)) / 1e6
            if held_mb > self.peak_mb:
                self.peak_mb, self.peak_at = held_mb, time.time()
            if self._watch is not None and not self.killed and self._watch():
                self.killed = True
                _kill_group(self._pid)

    def stop(self) -> None:
        """Ends the thread."""
        self._done.set()
        self._thread.join()


def descendants(pid: int) -> list[int]:
    """Lists a process and all that it has started, directly or not."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        # The name in parentheses may hold anything, spaces too.
        parent = int(stat.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def held_bytes(pids: Iterable[int]) -> int:
    """Sums the resident memory of processes; what they share counts once.

    Pages of their own of all, and the files and shared pages of the one that has the
    most: unlike the kernel's PSS, that does not depend on who else maps the same libraries.

    Args:
        pids: Processes; those that are gone count nothing.

    Returns:
        Bytes.
    """
    private, shared = 0, 0
    for pid in pids:
        mine, resident = _private_and_resident(pid)
        private += mine
        shared = max(shared, resident - mine)
    return private + shared


def _private_and_resident(pid: int) -> tuple[int, int]:
    """Reads both in bytes, as the kernel has counted them.

    Not from smaps: to add up the pages takes time and locks the process's memory meanwhile.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    own, *mapped = (
        1024 * int(fields.get(f"Rss{kind}", "0").split()[0]) for kind in ("Anon", "File", "Shmem")
    )
    return own, own + sum(mapped)


def _written_by_us() -> int:
    """Returns write_bytes of this process, to which the kernel adds reaped children's."""
    try:
        for line in Path("/proc/self/io").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "write_bytes":
                return int(value)
    except OSError:
        pass
    return 0


def _adopt_orphans() -> None:
    """Makes this process the parent of descendants whose parent has ended.

    Otherwise nobody could say what a helper took that outlives its parent.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_group(group: int) -> list[resource.struct_rusage]:
    """Waits for all that is left of a process group, which was killed before."""
    found = []
    while True:
        try:
            found.append(os.wait4(-group, 0)[2])
        except ChildProcessError:
            return found


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def folder_bytes(folder: Path) -> int:
    """Sums the sizes of all files below a folder, hard links once; 0 where there is none."""
    seen: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())
