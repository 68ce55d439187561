"""How a model is tried before it is pushed; imports no TensorFlow."""

from typing import Literal

from pydantic import Field

from preprocessing.config import Record

# TF Serving's versions whose ops are listed in stock_ops/.
ServingVersion = Literal["2.16", "2.20"]


class LatencyBudget(Record):
    """How long a call may take, on the machine that runs the pipeline."""

    p50_ms: float | None = Field(None, gt=0, description="half of the calls are faster")
    p95_ms: float | None = Field(None, gt=0, description="19 of 20 calls are faster")


class LatencyBudgets(Record):
    """By batch size; latency is measured at both whatever the budgets."""

    batch_1: LatencyBudget = LatencyBudget()
    batch_32: LatencyBudget = LatencyBudget()


class InfraConfig(Record):
    """Where TFX's InfraValidator starts TensorFlow Serving."""

    platform: Literal["docker", "kubernetes"] = Field(
        "docker", description="kubernetes: only where Kubeflow runs the pipeline"
    )
    image: str = Field("tensorflow/serving", min_length=1)
    tags: list[str] = Field(["latest"], min_length=1, description="each of them has to serve it")
    requests: int = Field(8, gt=0, description="eval examples that are sent")
    loading_seconds: int = Field(300, gt=0, description="for the server to have it loaded")
    tries: int = Field(2, gt=0)


class ValidateConfig(Record):
    """What a model has to hold where it is served."""

    validator: Literal["graft", "infra_validator", "none"] = Field(
        "graft",
        description="graft: a clean process loads and calls it; infra_validator: TFX's own, in "
        "TensorFlow Serving's container; none: nothing but the gate stands before the push",
    )
    examples: int | None = Field(
        256,
        gt=0,
        description="eval examples, evenly chosen, whose answers are compared with the training "
        "path's: of serving_default, and of up to 64 of them those of other signatures; null: of "
        "all examples, up to 10,000, those of each signature",
    )
    tolerance: float = Field(
        1e-4,
        gt=0,
        description="how far an answer may be from the training path's: of a probability, or of "
        "a number in shares of it where it is above 1",
    )
    batch_sizes: list[int] = Field(
        # No larger than the batch that is timed: 64 pictures took half a gigabyte more.
        [0, 1, 7, 32],
        min_length=1,
        description="each of which has to be answered",
    )
    latency: LatencyBudgets = LatencyBudgets()
    max_size_mb: float | None = Field(None, gt=0, description="of all files, a MB being 10^6 bytes")
    timeout_seconds: float = Field(600, gt=0, description="after which the process is ended")
    tf_serving: ServingVersion | None = Field(
        None,
        description="whose ops the model may have; null: the newest that is no newer than this "
        "machine's TensorFlow",
    )
    infra: InfraConfig = Field(InfraConfig(), description="read by infra_validator alone")
