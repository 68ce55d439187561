"""Where examples come from and how they are split; imports no TensorFlow.

A new source is a record here, added to `Source`, and a reader in sources/.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Union

from pydantic import Field, model_validator

from components.example_gen.span_config import DATE, SpansConfig, find_placeholders
from preprocessing.config import Record
from preprocessing.errors import explain

SPLIT_NAMES = ("train", "eval", "test")

# Columns that examples get beside a feature of a kind, as `<feature>_<suffix>`.
DERIVED_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "image": ("width", "height", "bytes", "format"),
    "text": ("characters",),
}


def derived_columns(feature: str, kind: str) -> list[str]:
    """Names the columns that examples get beside a feature."""
    return [f"{feature}_{suffix}" for suffix in DERIVED_COLUMNS.get(kind, ())]


# One path for everything, or one for each split.
Paths = Union[str, dict[Literal["train", "eval", "test"], str]]  # noqa: UP007


class ImageFolderSource(Record):
    """Pictures in class folders, optionally below train/, val/ and test/."""

    kind: Literal["image_folder"]
    path: Paths


class CsvSource(Record):
    """A table; each feature and the label name the column that holds them.

    A picture's column holds a path, relative to the table's own folder.
    """

    kind: Literal["csv"]
    path: Paths
    split_column: str | None = Field(
        None, description="column holding train, val/eval/validation or test"
    )


class TfRecordSource(Record):
    """tf.Examples that exist already, read by the stock ImportExampleGen."""

    kind: Literal["tfrecord"]
    path: Paths

    @model_validator(mode="after")
    def _splits_are_enough(self) -> "TfRecordSource":
        if isinstance(self.path, dict) and not {"train", "eval"} <= set(self.path):
            what = "path must name train and eval where it names splits; test may be left out"
            raise ValueError(explain(what, list(self.path), SPLIT_NAMES))
        return self


Source = Annotated[
    Union[ImageFolderSource, CsvSource, TfRecordSource],  # noqa: UP007
    Field(discriminator="kind"),
]


class SplitsConfig(Record):
    """Relative sizes of the splits where the data does not bring its own."""

    train: int = Field(8, gt=0)
    eval: int = Field(1, gt=0)
    test: int = Field(1, ge=0)
    stratify: bool = Field(True, description="keep each class's share in every split")
    group_by: str | None = Field(
        None, description="csv: rows with the same value here stay in one split"
    )


class DataConfig(Record):
    """Source, splits and how many unreadable examples are tolerated."""

    source: Source
    spans: SpansConfig | None = Field(
        None,
        description="a path with {SPAN}, or with {YYYY}, {MM} and {DD}: which spans are taken",
    )
    splits: SplitsConfig = SplitsConfig()
    max_quarantined_share: float = Field(
        0.05, ge=0, le=1, description="the run stops above this share of unreadable examples"
    )
    shard_examples: int = Field(512, gt=0, description="examples in one shard, at most")

    @model_validator(mode="after")
    def _groups_need_a_table(self) -> "DataConfig":
        if self.splits.group_by and self.source.kind != "csv":
            raise ValueError("splits.group_by names a column, so it needs a csv source")
        return self

    @model_validator(mode="after")
    def _spans_are_in_the_path(self) -> "DataConfig":
        found = find_placeholders(self.source.path)
        if self.spans is None:
            return self
        if not found:
            what = "spans needs {SPAN}, or {YYYY}, {MM} and {DD}, in source.path"
            raise ValueError(explain(what, self.source.path))
        for key, value in (("from", self.spans.from_), ("to", self.spans.to)):
            if "-" in str(value) and not found & set(DATE):
                what = f"spans.{key} is a date, and source.path has none"
                raise ValueError(explain(what, value))
        return self

    @property
    def window(self) -> SpansConfig | None:
        """Which spans are taken; None of a source without spans."""
        return (self.spans or SpansConfig()) if find_placeholders(self.source.path) else None


class PredictConfig(Record):
    """Rows that the model predicts at the end of a run, where it is blessed; they need no label."""

    source: Source
    max_quarantined_share: float = Field(
        0.05, ge=0, le=1, description="the run stops above this share of unreadable rows"
    )
    shard_examples: int = Field(512, gt=0, description="rows in one shard, at most")

    @model_validator(mode="after")
    def _has_no_splits(self) -> "PredictConfig":
        if not isinstance(self.source.path, str):
            raise ValueError(
                explain("source.path is one path; nothing is split here", list(self.source.path))
            )
        if find_placeholders(self.source.path):
            what = "source.path has no spans here; every row is predicted in each run"
            raise ValueError(explain(what, self.source.path))
        return self
