"""What goes wrong with pushed versions, told apart from other failures."""

from preprocessing.errors import GraftError


class PushError(GraftError):
    """The model could not be put where the server watches."""
