"""What a run leaves behind as summary.json; imports no TensorFlow.

A new figure is a field here, filled by summarise.py and shown by render.py.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from components.exporter.report import ExportReport
from components.gate.report import (
    ClassMetrics,
    Confusion,
    GateReport,
    ReliabilityBin,
    SliceMetrics,
)
from components.serving_validator.report import ServingReport
from preprocessing.config import Record, Task


class ComponentRun(Record):
    """One component of the pipeline, in the order in which they ran."""

    name: str
    seconds: float
    cpu_seconds: float | None = Field(None, description="user and system, of all cores")
    state: Literal["run", "cached", "failed"]


class Quarantined(Record):
    """An example that could not be read."""

    source: str
    reason: str
    split: str = ""


class BackboneUse(Record):
    """The backbone of one feature, by content."""

    feature: str
    handle: str
    digest: str


class SpanUse(Record):
    """A span of the data that the run took."""

    span: int = Field(description="of a date, the days since 1970-01-01")
    name: str = Field(description="as its path says it; of a date, as 2026-01-31")
    version: int | None = None
    examples: int
    state: Literal["new", "kept"] = Field(description="whether this run read it")


class VectorCounts(Record):
    """Where a feature's vectors came from; of an example's augmented views each counts."""

    new: int = Field(0, description="computed by a backbone")
    kept: int = Field(0, description="taken from the feature store, as earlier runs left them")
    duplicates: int = Field(0, description="the same content as one that this run computed")
    recomputed: int = Field(0, description="of the new ones: kept ones that were damaged")


class Pushed(Record):
    """Where TF Serving finds the model: `<path>/<version>`."""

    path: str
    version: int
    files: int | None = Field(None, description="None of a version that has no manifest")
    bytes: int | None = None
    warmup_requests: int = 0
    load_seconds: float | None = Field(
        None, description="loading it and answering those requests in a new process"
    )


class PredictedRows(Record):
    """What the blessed model says of `predict.source`: tf.Examples, in TFRecord files."""

    path: str = Field(description="their folder")
    rows: int
    quarantined: int
    quarantine_file: str | None = None


class Prediction(Record):
    """What the pushed model says about an example that it has not seen."""

    source: str
    actual: str
    predicted: str
    probability: float


class Summary(Record):
    """One run, from data to the verdict."""

    run_id: str
    name: str = Field(description="the pipeline's")
    task: Task = Field("multiclass", description="label.task of the config")
    config_digest: str
    resumed: str | None = Field(None, description="id of the run that this one went on with")
    stack: dict[str, str] = Field(description="version of Python and of each package that matters")
    seconds: float
    peak_memory_mb: float | None = Field(
        None, description="held at once by the run and the processes that it starts, MiB"
    )
    components: tuple[ComponentRun, ...]
    examples: dict[str, int] = Field(description="by split")
    spans: tuple[SpanUse, ...] = Field((), description="the window, the oldest first")
    quarantined: int = 0
    quarantine: tuple[Quarantined, ...] = Field((), description="the first of them, with reasons")
    quarantine_file: str | None = Field(None, description="all of them, one JSON object a line")
    notes: tuple[str, ...] = Field((), description="what ingest noticed of the data")
    missing: dict[str, dict[str, int]] = Field(
        {}, description="examples without a value by feature and split, where there are some"
    )
    truncated: dict[str, dict[str, int]] = Field(
        {},
        description="texts with more tokens than the backbone looks at, by feature and split",
    )
    vectors: dict[str, VectorCounts] = Field(
        {}, description="by feature; none where the Embedder's output was taken over whole"
    )
    vector_notes: tuple[str, ...] = Field((), description="what happened to the feature store")
    anomalies: tuple[str, ...] = Field((), description="found by ExampleValidator")
    backbones: tuple[BackboneUse, ...] = ()
    tuned: dict[str, int | float | str | bool] = Field(
        {}, description="the best values that the tuner found, by key of the config"
    )
    history: dict[str, list[float]] = Field(
        {},
        description="loss, score and both on eval (eval_…), one value an epoch, the head's first",
    )
    training_notes: tuple[str, ...] = Field((), description="what the Trainer noticed")
    metrics: dict[str, dict[str, float]] = Field(
        {}, description="by split, then by metric; one that cannot be computed is left out"
    )
    classes: dict[str, tuple[ClassMetrics, ...]] = Field(
        {}, description="by split; none of a regression"
    )
    confusions: dict[str, tuple[Confusion, ...]] = Field(
        {}, description="by split; of multiclass and binary"
    )
    slices: dict[str, tuple[SliceMetrics, ...]] = Field({}, description="by split")
    reliability: dict[str, tuple[ReliabilityBin, ...]] = Field(
        {}, description="by split: whether probabilities come true; none of a regression"
    )
    failure: str | None = Field(None, description="why the run ended early, if it did")
    blessed: bool
    reasons: tuple[str, ...] = Field(description="why it is blessed or not, one threshold each")
    gate: GateReport | None = Field(
        None, description="every threshold with its value, on the whole and by slice"
    )
    baseline: str = Field(
        "there is no blessed model yet, so only absolute thresholds count",
        description="what the model was compared with",
    )
    serving: ServingReport | None = Field(
        None, description="how the model did where it was tried as a server would; see `validate`"
    )
    model: str | None = Field(None, description="the exported SavedModel")
    exports: ExportReport | None = Field(None, description="of each format what became of it")
    pushed: Pushed | None = None
    held_back: str | None = Field(None, description="why a blessed model was not pushed")
    predicted: PredictedRows | None = None
    tensorboard: str | None = Field(None, description="folder of the training logs")
    log: str
    predictions: tuple[Prediction, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 for a run that failed, 0 for a blessed model, and 3 for another."""
        if self.failure is not None:
            return 1
        return 0 if self.blessed else 3


def write_summary(summary: Summary, path: str | Path) -> None:
    """Writes summary.json, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(path.name + ".part")
    staged.write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    staged.replace(path)


def read_summary(path: str | Path) -> Summary:
    """Reads what `write_summary` wrote."""
    return Summary.model_validate_json(Path(path).read_text(encoding="utf-8"))
