"""What happens after each epoch: progress, early stopping, and a check for NaN.

A new one is a tf_keras callback here and one line in fit.py's list.
"""

import math
from typing import Any

import tf_keras

from preprocessing import progress
from preprocessing.errors import GraftError, explain


class ReportProgress(tf_keras.callbacks.Callback):
    """Reports each finished epoch."""

    def __init__(self, epochs: int) -> None:
        """Remembers how many epochs there are at most."""
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reports one more epoch."""
        progress.report("Trainer", epoch + 1, self._epochs, "epochs")


class CheckLoss(tf_keras.callbacks.Callback):
    """Ends training once the loss is no longer a number."""

    def __init__(self, learning_rate: float) -> None:
        """Remembers the learning rate, for the message."""
        super().__init__()
        self._learning_rate = learning_rate

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks both losses.

        Raises:
            GraftError: If one is NaN or infinite; says what to change.
        """
        losses = [(logs or {})[name] for name in ("loss", "val_loss")]
        if not all(math.isfinite(loss) for loss in losses):
            raise GraftError(
                explain(
                    f"Training diverged: the loss is not a finite number after epoch {epoch + 1}. "
                    f"Make train.learning_rate (now {self._learning_rate:g}) ten times smaller.",
                    received=losses,
                )
            )


class KeepBest(tf_keras.callbacks.Callback):
    """Stops after some epochs without a better eval loss; restores the best.

    Unlike Keras' EarlyStopping it restores the best weights also when the
    epochs run out first. Of equal losses the earliest counts.
    """

    def __init__(self, patience: int) -> None:
        """Sets after how many epochs without a better one to stop."""
        super().__init__()
        self._patience = patience
        self.best_epoch = 0
        self.best_loss = math.inf
        self._weights: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps these weights if they are the best so far, or counts them out."""
        loss = (logs or {})["val_loss"]
        if loss < self.best_loss:
            self.best_epoch, self.best_loss = epoch + 1, loss
            self._weights = self.model.get_weights()
        elif epoch + 1 - self.best_epoch >= self._patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the best weights back."""
        self.model.set_weights(self._weights)
