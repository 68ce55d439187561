"""What can go wrong between a client and a server."""

from preprocessing.errors import GraftError


class ServerError(GraftError):
    """The server cannot be reached, or refuses; the message says which and why."""
