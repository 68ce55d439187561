"""What happens after each epoch: progress, early stopping, and a check for NaN.

A new one is a tf_keras callback here and one line in fit.py's list.
"""

import math
from typing import Any

import tf_keras

from preprocessing import progress
from preprocessing.errors import DivergedError, explain

# Name of the metric that holds the mean of the squared losses.
SQUARED_LOSS = "squared_loss"


class ReportProgress(tf_keras.callbacks.Callback):
    """Reports each finished epoch."""

    def __init__(self, epochs: int) -> None:
        """Remembers how many epochs there are at most."""
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reports one more epoch."""
        progress.report("Trainer", epoch + 1, self._epochs, "epochs")


def reports(epochs: int, log_dir: str | None) -> list[tf_keras.callbacks.Callback]:
    """Makes what tells people of a training.

    Args:
        epochs: How many there are at most.
        log_dir: Folder for TensorBoard, or a URL of one; None tells nobody.

    Returns:
        The callbacks.
    """
    if log_dir is None:
        return []
    return [ReportProgress(epochs), tf_keras.callbacks.TensorBoard(log_dir, write_graph=False)]


class CheckLoss(tf_keras.callbacks.Callback):
    """Ends training once the loss is no longer a number."""

    def __init__(self, learning_rate: float, key: str = "train.learning_rate") -> None:
        """Remembers the learning rate and its key, for the message."""
        super().__init__()
        self._learning_rate = learning_rate
        self._key = key

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks both losses.

        Raises:
            DivergedError: If one is NaN or infinite; says what to change.
        """
        losses = [(logs or {})[name] for name in ("loss", "val_loss")]
        if not all(math.isfinite(loss) for loss in losses):
            raise DivergedError(
                explain(
                    f"Training diverged: the loss is not a finite number after epoch {epoch + 1}. "
                    f"Make {self._key} (now {self._learning_rate:g}) ten times smaller.",
                    received=losses,
                )
            )


class KeepBest(tf_keras.callbacks.Callback):
    """Stops when the eval loss has risen for good; restores the best weights.

    The best epoch is the last whose eval loss lies within one standard error
    of the lowest. On a small eval split the lowest loss is a matter of luck:
    taking that epoch's weights, often from before the learning rate fell, cost
    0.005 of test accuracy on pictures of products with 73 eval examples. On a
    large one the standard error vanishes and the lowest loss decides.

    Unlike Keras' EarlyStopping it restores also when the epochs run out first.
    """

    def __init__(self, patience: int, examples: int) -> None:
        """Starts with nothing kept.

        Args:
            patience: Epochs that are not the best before training stops.
            examples: Number of eval examples.
        """
        super().__init__()
        self._patience = patience
        self._examples = examples
        self._lowest = math.inf
        self._acceptable = math.inf
        self._weights: list[Any] = []
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps these weights if they are the best, or counts them out."""
        logs = logs or {}
        loss = logs["val_loss"]
        if loss < self._lowest:
            variance = max(logs[f"val_{SQUARED_LOSS}"] - loss**2, 0.0)
            self._lowest = loss
            self._acceptable = loss + math.sqrt(variance / self._examples)
        if loss <= self._acceptable:
            self.best_epoch = epoch + 1
            self._weights = self.model.get_weights()
        elif epoch + 1 - self.best_epoch >= self._patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the best weights back."""
        self.model.set_weights(self._weights)

    def get_state(self) -> tuple[dict[str, Any], list[Any]]:
        """Gives what a checkpoint keeps, see checkpoints.Resumable."""
        values = {
            "lowest": self._lowest,
            "acceptable": self._acceptable,
            "best_epoch": self.best_epoch,
        }
        return values, self._weights

    def set_state(self, values: dict[str, Any], arrays: list[Any]) -> None:
        """Takes what `get_state` gave."""
        self._lowest, self._acceptable = values["lowest"], values["acceptable"]
        self.best_epoch, self._weights = values["best_epoch"], arrays


class KeepHistory(tf_keras.callbacks.Callback):
    """Keeps the values of all epochs, those before a kill included.

    Attributes:
        history: For each name a value an epoch.
        stopped: Whether a callback before this one has ended training early.
    """

    def __init__(self) -> None:
        """Starts with nothing kept."""
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.stopped = False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds one more epoch."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self.stopped = self.model.stop_training

    def get_state(self) -> tuple[dict[str, Any], list[Any]]:
        """Gives what a checkpoint keeps, see checkpoints.Resumable."""
        return {"history": self.history, "stopped": self.stopped}, []

    def set_state(self, values: dict[str, Any], arrays: list[Any]) -> None:
        """Takes what `get_state` gave."""
        self.history, self.stopped = values["history"], values["stopped"]
