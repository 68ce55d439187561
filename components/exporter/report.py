"""What the Exporter says of each export, as report.json; imports no TensorFlow."""

from typing import Literal

from pydantic import Field

from preprocessing.config import Record

REPORT_FILE = "report.json"


class Latency(Record):
    """Milliseconds that one example takes, on one thread of the machine that exported."""

    p50: float
    p95: float


class FloatModel(Record):
    """The SavedModel that the exports are compared with."""

    bytes: int
    value: float | None = Field(None, description="of the metric")
    latency: Latency | None = Field(None, description="with all threads of TensorFlow")


class Export(Record):
    """One format."""

    format: str
    state: Literal["made", "refused"]
    reason: str = Field("", description="why it was refused, or kept unchecked")
    files: tuple[str, ...] = Field((), description="relative to the folder of the exports")
    bytes: int = 0
    value: float | None = Field(None, description="of the metric")
    difference: float | None = Field(None, description="its value less the SavedModel's")
    largest_difference: float | None = Field(
        None, description="of any output of any example from the SavedModel's"
    )
    latency: Latency | None = None
    runtime: str = Field("", description="what it was run with")


class ExportReport(Record):
    """All exports of a model."""

    metric: str
    examples: int = Field(description="of the eval split, that each was judged on")
    saved_model: FloatModel
    exports: tuple[Export, ...]
