"""What a feature and a label are, as the user writes them; imports no TensorFlow.

A new feature kind is a record here, added to `Feature`, and one module beside
this one that builds its part of the graph (see transform.py).
"""

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Record(BaseModel):
    """Base of every config record: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BackboneConfig(Record):
    """Which pretrained model turns a feature into a vector.

    May be written as a bare string, which is then the handle.
    """

    model_config = ConfigDict(json_schema_extra={"x-short-form": {"type": "string"}})

    handle: str = Field(description="hub:URL-or-path or keras:ApplicationName")
    weights: str | None = Field(
        None, description="keras: only: path of a no-top weight file; null means imagenet"
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="keras: only: constructor arguments, such as {alpha: 0.35}",
    )
    size: int | None = Field(None, gt=0, description="side of the square input, in pixels")
    digest: str | None = Field(
        None, pattern=r"^sha256:[0-9a-f]{64}$", description="refuse any other content than this"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"handle": value} if isinstance(value, str) else value


class ImageFeature(Record):
    """An encoded picture, decoded and resized in the graph, then embedded."""

    kind: Literal["image"] = "image"
    backbone: BackboneConfig


# One member today; a discriminated union once there are two.
Feature = Annotated[Union[ImageFeature], Field()]  # noqa: UP007


class LabelConfig(Record):
    """The column to predict."""

    name: str = Field("label", min_length=1, description="column that holds the label")
    task: Literal["multiclass"] = "multiclass"
