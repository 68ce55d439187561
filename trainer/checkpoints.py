"""Lets a training that was killed go on from where it was.

A checkpoint is one file written whole or not at all: weights, optimizer, the
state of dropout, and in Python what the epochs so far have shown. Another thing
that decides how training goes on is another part of `Checkpoint`.
"""

import contextlib
import hashlib
import io
import itertools
import json
import posixpath
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
import tf_keras
from absl import logging

from trainer.strategy import is_chief

# Most of the time that checkpoints may take, and what one is taken to need before
# the first: most trainings of a head are over before five seconds.
LARGEST_SHARE = 0.02
_FIRST_GUESS_SECONDS = 0.1


class Resumable(Protocol):
    """What keeps a state in Python, such as `callbacks.KeepBest`."""

    def get_state(self) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Gives the state as plain values and arrays."""

    def set_state(self, values: dict[str, Any], arrays: list[np.ndarray]) -> None:
        """Takes what `get_state` gave."""


def training_key(*decisive: object) -> str:
    """Names a training by what decides its result.

    Args:
        *decisive: Values that JSON can hold.

    Returns:
        24 hex digits.
    """
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:24]


class Checkpoint:
    """The state of one stage of a training, on disk."""

    def __init__(
        self,
        folder: str | None,
        model: tf_keras.Model,
        optimizers: Sequence[tf_keras.optimizers.Optimizer],
        keepers: Sequence[Resumable],
        variables: Sequence[tf.Variable] = (),
    ) -> None:
        """Remembers what belongs to the state; reads and writes nothing.

        Args:
            folder: Of this stage alone; None keeps nothing.
            model: The model that is trained.
            optimizers: Built already, so that their variables are there.
            keepers: Hold the rest in Python.
            variables: Further ones that training changes.
        """
        self._folder = folder
        self._python = _PythonState(keepers)
        self._saved = tf.train.Checkpoint(
            model=model,
            optimizers=list(optimizers),
            variables=list(variables),
            randomness=_generators(model),
            python=self._python,
        )
        self._manager: Any = None
        if folder is not None:
            self._manager = tf.train.CheckpointManager(self._saved, folder, max_to_keep=1)
        self._writes = is_chief(tf.distribute.get_strategy())
        # Several workers make a variable together, and only the chief saves.
        _ = self._saved.save_counter

    @property
    def finished(self) -> bool:
        """Whether this stage had ended."""
        return self._python.finished

    def restore(self, stage: str) -> int:
        """Reads the last state, if there is one.

        One that cannot be read, being damaged, is as good as none.

        Args:
            stage: What is trained, for the log.

        Returns:
            Number of epochs that are finished.
        """
        if self._manager is None or self._manager.latest_checkpoint is None:
            return 0
        try:
            self._saved.restore(self._manager.latest_checkpoint).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            logging.warning("The checkpoint in %s is left unread: %s", self._folder, error)
            return 0
        what = "had ended" if self.finished else "goes on"
        logging.info("Training of the %s %s after epoch %d", stage, what, self._python.epochs)
        return self._python.epochs

    def save(self, epochs: int, finished: bool = False) -> None:
        """Writes the state, if it is for this worker; the one before is deleted after that."""
        if self._manager is not None and self._writes:
            self._python.epochs, self._python.finished = epochs, finished
            self._manager.save()


class SaveTraining(tf_keras.callbacks.Callback):
    """Writes a checkpoint after an epoch, unless too soon, and when training ends.

    Stands behind the callbacks whose state it writes.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Remembers the checkpoint, which is restored already."""
        super().__init__()
        self._checkpoint = checkpoint
        self._last = time.monotonic()
        self._took = _FIRST_GUESS_SECONDS
        self._epochs = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes a checkpoint when that takes little of the time since the last."""
        self._epochs = epoch + 1
        now = time.monotonic()
        if LARGEST_SHARE * (now - self._last) >= self._took:
            self._checkpoint.save(self._epochs)
            self._last = time.monotonic()
            self._took = self._last - now

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Writes the last one, with the weights that the training gives."""
        self._checkpoint.save(self._epochs, finished=True)


@contextlib.contextmanager
def resumable_dropout() -> Iterator[None]:
    """Layers made inside keep their randomness in variables, which checkpoints hold."""
    backend = tf_keras.backend.experimental
    before = backend.is_tf_random_generator_enabled()
    backend.enable_tf_random_generator()
    try:
        yield
    finally:
        if not before:
            backend.disable_tf_random_generator()


class _PythonState(tf.train.experimental.PythonState):
    """Puts the state in Python into the same file as the variables."""

    def __init__(self, keepers: Sequence[Resumable]) -> None:
        self._keepers = keepers
        self.epochs = 0
        self.finished = False

    def serialize(self) -> bytes:
        states = [keeper.get_state() for keeper in self._keepers]
        text = json.dumps(
            {
                "epochs": self.epochs,
                "finished": self.finished,
                "keepers": [values for values, _ in states],
                "arrays": [len(arrays) for _, arrays in states],
            }
        )
        file = io.BytesIO()
        every = itertools.chain.from_iterable(arrays for _, arrays in states)
        np.savez(file, np.frombuffer(text.encode(), np.uint8), *every)
        return file.getvalue()

    def deserialize(self, string_value: bytes) -> None:
        with np.load(io.BytesIO(string_value), allow_pickle=False) as file:
            text, *arrays = [file[f"arr_{index}"] for index in range(len(file.files))]
        state = json.loads(text.tobytes())
        self.epochs, self.finished = state["epochs"], state["finished"]
        left = iter(arrays)
        kept = zip(self._keepers, state["keepers"], state["arrays"], strict=True)
        for keeper, values, count in kept:
            keeper.set_state(values, list(itertools.islice(left, count)))


def _generators(model: tf_keras.Model) -> list[tf.random.Generator]:
    """Where the layers of `resumable_dropout` keep their state; Keras leaves it out."""
    holders = [getattr(layer, "_random_generator", None) for layer in model.submodules]
    found = [getattr(holder, "_generator", None) for holder in holders]
    return [one for one in found if one is not None]


def stage_folder(root: str | None, stage: str) -> str | None:
    """The folder of one stage below that of a training; None where nothing is kept."""
    return None if root is None else posixpath.join(root, stage)
