"""Finds our own errors in what an engine says of a worker that failed: text alone."""

import re

from preprocessing import errors
from preprocessing.errors import GraftError

# As Python writes an exception; Beam may add in which step it was.
_OURS = re.compile(
    r"^(?:\S*\s)?preprocessing\.errors\.(\w+): (.+?)(?= \[while running|\n\s*\n|\nTraceback|\Z)",
    re.DOTALL | re.MULTILINE,
)


def read_worker_error(text: str) -> GraftError | None:
    """Restores the error that a worker raised.

    Args:
        text: What the engine says.

    Returns:
        The last one in the text; None where there is none of ours.
    """
    for name, message in reversed(_OURS.findall(text)):
        kind = getattr(errors, name, None)
        if isinstance(kind, type) and issubclass(kind, GraftError):
            return kind(message)
    return None
