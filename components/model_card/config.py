"""What only people know of a model; imports no TensorFlow."""

from pydantic import Field

from preprocessing.config import Record


class ModelCardConfig(Record):
    """What the model card says beside what the pipeline knows itself."""

    intended_use: str | None = Field(
        None, min_length=1, description="what the model is for, and what it is not for"
    )
    limits: list[str] = Field(
        [], description="what is known to go wrong; what the pipeline measured is added"
    )
    owner: str | None = Field(None, min_length=1, description="who answers for the model")
    licence: str | None = Field(None, min_length=1, description="the model's own, by SPDX name")
    backbone_licences: dict[str, str] = Field(
        {},
        description="of each feature's backbone, by SPDX name; nobody else can say what "
        "you agreed to when you took it",
        examples=[{"image": "Apache-2.0"}],
    )
