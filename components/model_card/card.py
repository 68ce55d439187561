"""What a model card holds; markdown.py shows it to people. Imports no TensorFlow."""

from pydantic import Field

from components.model_card.config import ModelCardConfig
from preprocessing.config import Record, Task


class CardFeature(Record):
    """One thing that the model looks at, and what turns it into a vector.

    Attributes:
        name: The feature's.
        kind: image, text, numeric or categorical.
        handle: The backbone's handle; None for a feature without one.
        digest: Of the backbone's content.
        licence: Of the backbone, as the config states it.
        missing: What becomes of an example without a value.
    """

    name: str
    kind: str
    handle: str | None = None
    digest: str | None = None
    licence: str | None = None
    missing: str


class CardSpan(Record):
    """A span of the data: its number, what its path calls it, and the newest version of it."""

    span: int
    name: str
    version: int | None = None


class CardData(Record):
    """What it was trained and judged on.

    Attributes:
        source: Kind and name of the source.
        fingerprint: Digest of what the source listed; None where TFX keeps its own.
        spans: The window, the oldest first; none where the source has no spans.
        examples: By split.
        classes: Examples of each class by split; none for numbers.
        quarantined: Examples that could not be read.
        missing: Examples without a value, by feature and split.
        truncated: Texts longer than the backbone looks at, by feature and split.
        notes: What ingest noticed.
    """

    source: str
    fingerprint: str | None
    examples: dict[str, int]
    classes: dict[str, dict[str, int]]
    quarantined: int
    missing: dict[str, dict[str, int]] = {}
    truncated: dict[str, dict[str, int]] = {}
    notes: tuple[str, ...] = ()
    spans: tuple[CardSpan, ...] = ()


class CardTraining(Record):
    """How it was trained: the whole `train` section, and how that went."""

    settings: dict[str, object]
    epochs: int
    notes: tuple[str, ...] = ()


class CardClass(Record):
    """How well one class is recognised; None where nothing was predicted or there."""

    name: str
    examples: int
    precision: float | None
    recall: float | None


class CardSlice(Record):
    """Metrics of the examples that share some columns' values."""

    slice: dict[str, str]
    metrics: dict[str, float]


class Card(Record):
    """What is known of one model when it is pushed."""

    name: str
    task: Task
    run_id: str
    made: str = Field(description="day, UTC")
    versions: dict[str, str] = Field(description="of the packages that made it")
    config_digest: str
    stated: ModelCardConfig = Field(description="what its makers say")
    classes: tuple[str, ...]
    features: tuple[CardFeature, ...]
    data: CardData
    training: CardTraining
    metrics: dict[str, dict[str, float]] = Field(description="by split")
    by_class: dict[str, tuple[CardClass, ...]] = Field({}, description="by split")
    slices: dict[str, tuple[CardSlice, ...]] = Field({}, description="by split")
    blessed: bool
    thresholds: tuple[str, ...] = Field(description="each with its verdict and value")
    baseline: dict[str, float] = Field({}, description="the last blessed model's, on eval")
    serving: dict[str, str] = Field({}, description="what the serving validator measured")
    exports: tuple[dict[str, str], ...] = Field((), description="one a format")
    limits: tuple[str, ...] = Field(description="stated and measured ones")
