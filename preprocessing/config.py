"""What a feature and a label are, as the user writes them; imports no TensorFlow.

A new feature kind is a record here, added to `Feature`, one module beside this
one that builds its part of the graph, and its line in kinds.py.
"""

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, model_validator

from preprocessing.errors import explain


class Record(BaseModel):
    """Base of every config record: frozen, and unknown keys are errors."""

    # Each is built with the config that it is a part of, and by itself only where it is asked for.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class BackboneConfig(Record):
    """Which pretrained model turns a feature into a vector.

    May be written as a bare string, which is then the handle.
    """

    model_config = ConfigDict(json_schema_extra={"x-short-form": {"type": "string"}})

    handle: str = Field(
        description="hub:URL-or-path, keras:ApplicationName or hf:model-id-or-folder"
    )
    weights: str | None = Field(
        None, description="keras: only: path of a no-top weight file; null means imagenet"
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="keras: only: constructor arguments, such as {alpha: 0.35}",
    )
    size: int | None = Field(
        None, gt=0, description="pictures: side of the square input, in pixels"
    )
    preprocessor: str | None = Field(
        None,
        description="hub: text encoders only: handle of the module that turns strings into the "
        "encoder's token ids",
    )
    sequence_length: int | None = Field(
        None,
        gt=2,
        description="texts: tokens that are looked at, special ones included; null means as many "
        "as the model was made for, 128 at most",
    )
    pooling: Literal["mean", "cls", "max", "pooler"] | None = Field(
        None,
        description="texts: how token vectors become one: their mean, the first one, the largest "
        "values, or the model's own pooled output; null means what its card says",
    )
    use_logits: bool = Field(
        False, description="take a classifier's logits for a feature vector on purpose"
    )
    digest: str | None = Field(
        None, pattern=r"^sha256:[0-9a-f]{64}$", description="refuse any other content than this"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"handle": value} if isinstance(value, str) else value


Missing = Annotated[
    Literal["reject", "default"],
    Field(
        description="an example without a value is set aside (reject), or gets the default and "
        "an indicator that tells the head so (default)"
    ),
]


Vectors = Annotated[
    Literal["float32", "float16"],
    Field(
        description="how feature vectors are kept; float16 takes half of the space and rounds them "
        "to eleven bits, 3.3 digits, in the exported model as well"
    ),
]


class ImageFeature(Record):
    """An encoded picture, decoded and resized in the graph, then embedded.

    A missing one counts as a vector of zeros.
    """

    kind: Literal["image"] = "image"
    column: str | None = Field(None, min_length=1, description="null means the feature's name")
    backbone: BackboneConfig
    missing: Missing = "reject"
    vectors: Vectors = "float32"
    decode: Literal["fast", "exact"] = Field(
        "fast",
        description="fast: a JPEG eight times as large as the backbone's input, or larger, is "
        "unpacked at a fraction of its size, within the tolerance that docs/pictures.md states; "
        "exact: every pixel of every picture",
    )


class TextFeature(Record):
    """A text, normalised in the graph, then embedded; a missing one as zeros."""

    kind: Literal["text"]
    column: str | None = Field(None, min_length=1, description="null means the feature's name")
    backbone: BackboneConfig
    missing: Missing = "reject"
    vectors: Vectors = "float32"
    unicode: Literal["NFC", "NFKC", "none"] = Field(
        "NFC", description="form that texts are brought to before anything else"
    )


class NumericFeature(Record):
    """A number: standardised, or put into one of some buckets of equal share."""

    kind: Literal["numeric"]
    column: str | None = Field(None, min_length=1, description="null means the feature's name")
    missing: Missing = "reject"
    default: float | None = Field(
        None, description="stands for a missing value; null means the mean over training"
    )
    buckets: int | None = Field(
        None, gt=1, description="how many quantile buckets; null means a z-score"
    )


class CategoricalFeature(Record):
    """One of a set of words; those that training lacks share some buckets by hash."""

    kind: Literal["categorical"]
    column: str | None = Field(None, min_length=1, description="null means the feature's name")
    missing: Missing = "reject"
    default: str | None = Field(
        None, min_length=1, description="stands for a missing value; null means a word of its own"
    )
    top_k: int | None = Field(
        1000, gt=0, description="words that are told apart, the commonest; null means all"
    )
    min_count: int = Field(1, gt=0, description="rarer words count as unknown")
    oov_buckets: int = Field(1, gt=0, description="buckets that unknown words share by hash")


Feature = Annotated[
    Union[ImageFeature, TextFeature, NumericFeature, CategoricalFeature],  # noqa: UP007
    Field(discriminator="kind"),
]

# Those that a backbone turns into a vector.
EmbeddedFeature = (ImageFeature, TextFeature)


def missing_name(feature: str) -> str:
    """Names the head's input that tells which values of a feature are missing."""
    return f"{feature}_missing"


Task = Literal["multiclass", "binary", "multilabel", "regression"]


class LabelConfig(Record):
    """The column to predict."""

    name: str = Field("label", min_length=1, description="column that holds the label")
    task: Task = "multiclass"
    positive: str | None = Field(
        None, min_length=1, description="binary: the label whose probability is predicted"
    )
    separator: str = Field(
        "|", min_length=1, description="multilabel: stands between the labels of one example"
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="binary, multilabel: probability from which a label is given"
    )

    @model_validator(mode="after")
    def _positive_is_for_binary(self) -> "LabelConfig":
        if self.task == "binary" and self.positive is None:
            raise ValueError("task: binary needs `positive`: the label that is to be predicted")
        if self.task != "binary" and self.positive is not None:
            raise ValueError(explain("`positive` belongs to task: binary", self.positive))
        return self
