"""What this process has done of a run; other workers count their own."""

import collections
import threading

_LOCK = threading.Lock()
_COUNTS: collections.Counter = collections.Counter()


def restart(run: str, **counts: int) -> None:
    """Begins a run with what an earlier one has left."""
    with _LOCK:
        for what, count in counts.items():
            _COUNTS[run, what] = count


def add(run: str, what: str, count: int) -> int:
    """Counts more.

    Args:
        run: Tells runs apart.
        what: What is counted.
        count: How many more.

    Returns:
        How many there are by now.
    """
    with _LOCK:
        _COUNTS[run, what] += count
        return _COUNTS[run, what]
