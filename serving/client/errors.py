"""What can go wrong between a client and a server."""

from collections.abc import Iterable

from preprocessing.errors import GraftError


class ServerError(GraftError):
    """The server cannot be reached, or refuses; the message says which and why."""


def no_signature(asked: str, there: Iterable[str]) -> ServerError:
    """Says which signatures a model has, but for TensorFlow's own."""
    names = ", ".join(sorted(name for name in there if not name.startswith("__")))
    return ServerError(f"The model has no signature {asked}; it has {names}")
