"""What the trials of a search came to, so that one that was killed need not train them again.

A search begins anew, and as its choices follow from its seed and from results alone, it
chooses what it had chosen: trials that had finished are answered from here.
"""

import json
import posixpath
from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf
from absl import logging

_FILE = "trials.json"


class Finished(NamedTuple):
    """A trial that came to an end.

    Attributes:
        result: The objective.
        seconds: How long it trained.
    """

    result: float
    seconds: float


class Trials:
    """The finished trials of one search."""

    def __init__(self, folder: str | None) -> None:
        """Reads what is there.

        Args:
            folder: Of this search alone; None keeps nothing.
        """
        self._folder = folder
        self._known = _read(posixpath.join(folder, _FILE)) if folder else {}

    def find(self, values: Mapping[str, Any]) -> Finished | None:
        """Gives what came of a trial of these values; None where it did not finish."""
        return self._known.get(_key(values))

    def add(self, values: Mapping[str, Any], finished: Finished) -> None:
        """Keeps what came of a trial, whole or not at all; where it cannot, the log says so."""
        self._known[_key(values)] = finished
        if self._folder is None:
            return
        path = posixpath.join(self._folder, _FILE)
        try:
            tf.io.gfile.makedirs(self._folder)
            with tf.io.gfile.GFile(f"{path}.part", "w") as file:
                file.write(json.dumps(self._known))
            tf.io.gfile.rename(f"{path}.part", path, overwrite=True)
        except tf.errors.OpError as error:
            logging.warning("A finished trial is not kept: %s", error)

    def clear(self) -> None:
        """Forgets all: the search is over."""
        if self._folder is not None and tf.io.gfile.exists(self._folder):
            tf.io.gfile.rmtree(self._folder)


def _key(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)


def _read(path: str) -> dict[str, Finished]:
    if not tf.io.gfile.exists(path):
        return {}
    try:
        with tf.io.gfile.GFile(path) as file:
            return {key: Finished(*map(float, one)) for key, one in json.load(file).items()}
    except (tf.errors.OpError, ValueError, TypeError, AttributeError) as error:
        # Then they are trained again.
        logging.warning("The finished trials in %s cannot be read: %s", path, error)
        return {}
