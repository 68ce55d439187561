"""What the Exporter says of each export, as report.json; imports no TensorFlow."""

from typing import Literal

from pydantic import Field

from preprocessing.config import Record

REPORT_FILE = "report.json"


class Latency(Record):
    """Milliseconds that one example takes on the machine that exported.

    An export has one thread, the SavedModel all that TensorFlow takes.
    """

    p50: float
    p95: float


class Measured(Record):
    """A model, such as the SavedModel that the exports are compared with."""

    bytes: int = 0
    value: float | None = Field(None, description="of the metric, on the eval split")
    latency: Latency | None = None


class Export(Measured):
    """One format."""

    format: str
    state: Literal["made", "refused"]
    reason: str = Field("", description="why it was refused, or kept unchecked")
    files: tuple[str, ...] = Field((), description="relative to the folder of the exports")
    difference: float | None = Field(None, description="its value less the SavedModel's")
    largest_difference: float | None = Field(
        None, description="of any output of any example from the SavedModel's"
    )
    runtime: str = Field("", description="what it was run with")


class ExportReport(Record):
    """All exports of a model."""

    metric: str
    examples: int = Field(description="of the eval split, that each was judged on")
    saved_model: Measured
    exports: tuple[Export, ...]
