"""Every error that a user can cause or mend, as one tree.

The command line prints these without a traceback and ends with the class's
exit code; anything else is a defect of ours and keeps its traceback. Add a
class here only when a caller must tell it apart from the others.
"""

import difflib
from collections.abc import Iterable


class GraftError(Exception):
    """Root of the tree: a failure whose message tells the user what to do."""

    exit_code = 1


class UsageError(GraftError):
    """The command line, the config or what the config points at is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """A key or value of the config is not valid."""


class BackboneError(UsageError):
    """A backbone cannot be found, read or trusted."""


class DataError(UsageError):
    """The data that the config points at cannot be used."""


class DivergedError(GraftError):
    """The loss of a training is no longer a number."""


class QuarantineError(GraftError):
    """More examples than the config allows could not be read."""


def explain(what: str, received: object, valid: Iterable[object] = (), see: str = "") -> str:
    """Builds the one form in which a wrong value is reported.

    Args:
        what: What is wrong, one sentence without the value.
        received: The value as the user gave it.
        valid: The values that would be right; the closest one is suggested.
        see: Where to look, as a path or a command; left out when empty.

    Returns:
        The message, one line for each of received, valid, closest and see.
    """
    choices = [str(choice) for choice in valid]
    lines = [what, f"  Received: {received!r}"]
    if choices:
        lines.append(f"  Valid: {', '.join(choices)}")
        closest = difflib.get_close_matches(str(received), choices, n=1, cutoff=0.5)
        if closest:
            lines.append(f"  Did you mean {closest[0]!r}?")
    if see:
        lines.append(f"  See: {see}")
    return "\n".join(lines)
