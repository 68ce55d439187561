"""What the gate says of a model; imports no TensorFlow.

The report lies beside TFMA's own files in the `evaluation` artifact.
"""

from typing import Literal

from pydantic import Field

from preprocessing.config import Record

REPORT_FILE = "gate.json"


class ClassMetrics(Record):
    """How well one class is recognised; None where nothing was predicted or there."""

    name: str
    examples: int
    precision: float | None
    recall: float | None


class Confusion(Record):
    """How often examples of one class were taken for another."""

    actual: str
    predicted: str
    count: int


class SliceMetrics(Record):
    """Metrics of the examples that share some columns' values."""

    slice: dict[str, str]
    metrics: dict[str, float]


class ReliabilityBin(Record):
    """Predictions of about the same confidence, and what became of them."""

    count: int
    confidence: float = Field(description="their mean probability")
    accuracy: float = Field(description="the share of them that came true")


class Baseline(Record):
    """What became of the comparison with the last blessed model.

    Attributes:
        state: Compared with; none is there yet; set aside by --rebaseline; or
            it could not be compared with.
        model: Its folder.
        reason: Why it could not.
    """

    state: Literal["compared", "none", "set aside", "unusable"]
    model: str | None = None
    reason: str | None = None

    def __str__(self) -> str:
        """For people, with what to do."""
        if self.state == "none":
            return "there is no blessed model yet, so only absolute thresholds count"
        if self.state == "compared":
            return f"compared with the last blessed model, {self.model}"
        if self.state == "set aside":
            return (
                f"the last blessed model, {self.model}, is set aside (--rebaseline), so only "
                "absolute thresholds count; a model that is blessed now takes its place"
            )
        return (
            f"the last blessed model, {self.model}, cannot be compared with: {self.reason}. "
            "Restore it, or run once with --rebaseline: then only absolute thresholds count, "
            "and a model that is blessed takes its place"
        )


class Judgement(Record):
    """One threshold, and whether it holds.

    Attributes:
        metric: Its name.
        demand: What is asked of it, in words.
        slice: Of which examples, by column; empty for the whole split.
        examples: How many.
        state: Skipped where there is nothing to judge by, see `why`.
        value: The figure; None where it cannot be computed.
        interval: Of the figure, or for a comparison of the difference.
        baseline: The last blessed model's figure, in a comparison.
        confidence: Of the interval.
        why: Why it was skipped, or failed without a figure.
    """

    metric: str
    demand: str
    slice: dict[str, str] = {}
    examples: int | None = None
    state: Literal["passed", "failed", "skipped"]
    value: float | None = None
    interval: tuple[float, float] | None = None
    baseline: float | None = None
    confidence: float | None = None
    why: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        value = "unknown" if self.value is None else f"{self.value:.4f}"
        where = f" on {slice_name(self.slice)} ({self.examples})" if self.slice else ""
        sure = ""
        if self.interval:
            low, high = self.interval
            sure = f"{100 * (self.confidence or 0):g} %: {low:.4f} to {high:.4f}"
        text = f"{self.state}: {self.metric} {value}{where}, {self.demand}"
        if self.baseline is not None and self.value is not None:
            text += f"'s {self.baseline:.4f}"
            sure = sure and f"difference {self.value - self.baseline:.4f}, {sure}"
        text += f" ({sure})" if sure else ""
        return text + (f": {self.why}" if self.why else "")


class GateReport(Record):
    """The verdict and all that it rests on.

    Attributes:
        blessed: Whether no threshold failed.
        baseline: What became of the comparison.
        judgements: Every threshold: first on the whole split, then on the slices.
        small: Slices with fewer examples than `least`; judged by nothing.
        least: How many a slice must have.
        evaluated: What the figures are of, a clause.
    """

    blessed: bool
    baseline: Baseline
    judgements: tuple[Judgement, ...]
    small: tuple[SliceMetrics, ...] = ()
    least: int = 0
    evaluated: str = "the exported model"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Lines for people: thresholds on the whole, slices that failed, how many did not."""
        whole = [str(one) for one in self.judgements if not one.slice]
        sliced = [one for one in self.judgements if one.slice]
        failed = [str(one) for one in sliced if one.state == "failed"]
        passed = []
        for metric, demand in dict.fromkeys((one.metric, one.demand) for one in sliced):
            same = [one.state for one in sliced if (one.metric, one.demand) == (metric, demand)]
            held = f"{same.count('passed')} of {len(same)} slices"
            if "passed" in same:
                passed.append(f"passed: {metric} on {held}, {demand}")
        if self.small:
            few = f"slices of fewer than {self.least} examples: {len(self.small)}"
            passed.append(f"skipped: {few}")
        return (*whole, *failed, *passed)


def slice_name(columns: dict[str, str]) -> str:
    """Such as `source = a, brand = b`."""
    return ", ".join(f"{column} = {value}" for column, value in columns.items())
