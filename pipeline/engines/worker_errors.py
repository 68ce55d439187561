"""Finds our own errors in what an engine says of a worker that failed: text alone."""

import re

from preprocessing import errors
from preprocessing.errors import GraftError, explain

# As Python writes an exception; Beam may add in which step it was.
_OURS = re.compile(
    r"^(?:\S*\s)?preprocessing\.errors\.(\w+): (.+?)(?= \[while running|\n\s*\n|\nTraceback|\Z)",
    re.DOTALL | re.MULTILINE,
)
# What Beam says where a worker that is a process of this machine is killed.
_LOST = "Channel closed prematurely"


def read_worker_error(text: str) -> GraftError | None:
    """Restores the error that a worker raised.

    Args:
        text: What the engine says.

    Returns:
        The last one in the text, or that a worker was lost; None where there is neither.
    """
    for name, message in reversed(_OURS.findall(text)):
        kind = getattr(errors, name, None)
        if isinstance(kind, type) and issubclass(kind, GraftError):
            return kind(message)
    if _LOST in text:
        what = "A worker process ended in the middle of its work, as when memory runs out"
        return GraftError(explain(what, _LOST, see="beam.processes; docs/beam.md"))
    return None
