"""What the ServingValidator says of a model; imports no TensorFlow."""

from typing import Literal

from pydantic import Field

from preprocessing.config import Record

REPORT_FILE = "report.json"


class Parity(Record):
    """How one signature's answers differ from the training path's."""

    signature: str
    examples: int
    largest_difference: float
    other_labels: int = Field(description="examples that it labels otherwise")


class Latency(Record):
    """How long calls of `serving_default` took."""

    batch: int
    calls: int
    p50_ms: float
    p95_ms: float


class ServingReport(Record):
    """One model, tried as a server would."""

    validator: Literal["graft", "infra_validator"] = "graft"
    blessed: bool
    reasons: tuple[str, ...] = Field(description="what passed and what failed, one check each")
    parity: tuple[Parity, ...] = ()
    latency: tuple[Latency, ...] = ()
    size_mb: float | None = None
    load_seconds: float | None = None
    tf_serving: str | None = Field(None, description="the version whose ops were looked up")
    ops: tuple[str, ...] = Field((), description="types of all operations in the model")
    text_ops: tuple[str, ...] = Field((), description="those of them that need TF-Text")
    original_hidden: bool = Field(
        False, description="whether the process could not read what the model was made of"
    )
