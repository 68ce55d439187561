"""Whether an export is as good as the model that it was made from; plain arithmetic."""

from typing import NamedTuple

import numpy as np

from components.exporter.answers import Answers
from components.exporter.errors import ExportError
from components.exporter.figures import Metric


class Verdict(NamedTuple):
    """What was found out by comparing outputs.

    Attributes:
        value: Of the metric.
        difference: The value less the SavedModel's.
        largest_difference: Of any output from the SavedModel's.
        refusal: Why the export must not be used; empty if it may.
    """

    value: float
    difference: float
    largest_difference: float
    refusal: str


class Judge(NamedTuple):
    """What exports are held against.

    Attributes:
        metric: The task's main metric.
        outputs: What the SavedModel says, `[examples, …]`.
        labels: What is right.
        threshold: From which probability a label is given.
        max_loss: How much worse an export may be.
    """

    metric: Metric
    outputs: np.ndarray
    labels: np.ndarray
    threshold: float
    max_loss: float

    @property
    def reference(self) -> float:
        """The SavedModel's value."""
        return self.metric.figure(self.outputs, self.labels, self.threshold)

    def compare(self, answers: Answers, tolerance: float) -> Verdict:
        """Compares an export's answers with the SavedModel's.

        Args:
            answers: The export's.
            tolerance: How far any output may be off, in shares of the
                SavedModel's where that is above 1.

        Returns:
            What was found out.

        Raises:
            ExportError: If they are not numbers for the same examples.
        """
        outputs = answers.outputs
        if outputs.shape != self.outputs.shape:
            raise ExportError(
                f"its outputs have the shape {list(outputs.shape)}, "
                f"the SavedModel's {list(self.outputs.shape)}"
            )
        if not np.isfinite(outputs).all():
            raise ExportError("some of its outputs are not finite")
        value = self.metric.figure(outputs, self.labels, self.threshold)
        loss = self.metric.loss(value, self.reference)
        refusal = ""
        if loss > self.max_loss:
            share = " of it" if self.metric.is_error else ""
            refusal = (
                f"{self.metric.name} {value:.4f}, the SavedModel's {self.reference:.4f}: worse by "
                f"{loss:.4f}{share}, and export.max_accuracy_loss is {self.max_loss:g}"
            )
        apart = np.abs(outputs - self.outputs)
        off = float(np.max(apart / np.maximum(1, np.abs(self.outputs)), initial=0.0))
        if not refusal and off > tolerance:
            refusal = (
                f"an output is {off:.4f} off the SavedModel's, where this format may be "
                f"{tolerance:g} off: the runtime computes something else"
            )
        return Verdict(
            value=value,
            difference=value - self.reference,
            largest_difference=float(np.max(apart, initial=0.0)),
            refusal=refusal,
        )
