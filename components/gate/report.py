"""What the gate says of a model; imports no TensorFlow."""

from preprocessing.config import Record


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
