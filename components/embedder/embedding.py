"""What the Embedder expects of the function that it is given by name; see trainer/embed.py."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf


class VectorColumn(Protocol):
    """A feature whose vectors a backbone makes."""

    @property
    def width(self) -> int:
        """Length of a vector."""

    @property
    def dtype(self) -> str:
        """How its numbers are kept: float32 or float16."""

    @property
    def seeded(self) -> bool:
        """Whether augmented views of it differ from it."""

    @property
    def marked(self) -> bool:
        """Whether there is something to count of it."""

    @property
    def identity(self) -> dict[str, Any]:
        """What a vector depends on beside the content of the column."""

    @property
    def views(self) -> dict[str, Any]:
        """What an augmented view's vector depends on further, beside its seeds."""

    @property
    def about(self) -> dict[str, Any]:
        """What people want to know of it."""


class Scanned(Protocol):
    """Some examples without what only a backbone can say."""

    @property
    def stored(self) -> dict[str, np.ndarray]:
        """What is written as it is, by name."""

    @property
    def raw(self) -> dict[str, np.ndarray]:
        """The content of each column that a backbone takes, `[examples]` bytes."""


class Vectors(Protocol):
    """A batch of vectors."""

    @property
    def slots(self) -> np.ndarray:
        """Which they are, `[batch]` int64, as they were asked for."""

    @property
    def vectors(self) -> np.ndarray:
        """`[batch, width]` float32."""

    @property
    def cut(self) -> np.ndarray:
        """`[batch]` bool, what is counted of them."""


class Embedding(Protocol):
    """Makes what is stored of examples."""

    @property
    def columns(self) -> Mapping[str, VectorColumn]:
        """The features whose vectors a backbone makes, by name."""

    def scan(self, serialized: tf.Tensor) -> Scanned:
        """Reads `[examples]` serialized tf.Examples, cheaply."""

    def seeds(self, serialized: tf.Tensor, view: int) -> np.ndarray:
        """Gives what an augmented view depends on, `[examples, …]`."""

    def embed(self, name: str, wanted: tf.data.Dataset) -> Iterator[Vectors]:
        """Runs a feature through its backbone: serialized examples with their slots."""
