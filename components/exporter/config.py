"""Which exports are made beside the SavedModel; imports no TensorFlow."""

from typing import Annotated, Literal

from pydantic import Field

from preprocessing.config import Record

Format = Literal["tflite", "tflite_fp16", "tflite_int8", "tfjs"]
Formats = Annotated[tuple[Format, ...], Field(min_length=1)]


class ExportConfig(Record):
    """Exports for phones (TensorFlow Lite) and browsers (TensorFlow.js)."""

    formats: Formats = Field(description="what is made")
    max_accuracy_loss: float = Field(
        0.02,
        ge=0,
        description="an export that is worse than the SavedModel by more is refused: a difference "
        "of accuracy (multiclass, binary) or f1 (multilabel), or a share of the mae (regression)",
    )
    representative_examples: int = Field(
        200, gt=0, description="tflite_int8: training examples that ranges are measured on"
    )
    eval_examples: int = Field(
        500, gt=0, description="examples of the eval split that each is judged on, at most"
    )
    check: bool = Field(True, description="false: exports are kept as converted, and never run")
    timeout_seconds: int = Field(
        1800, gt=0, description="for one conversion, and for running it on the examples"
    )


# A bare list of formats leaves the rest at its defaults.
ExportSection = ExportConfig | Formats


def read_section(section: ExportSection | None) -> ExportConfig | None:
    """Gives the section in its long form, each format once."""
    if section is None:
        return None
    config = section if isinstance(section, ExportConfig) else ExportConfig(formats=section)
    return config.model_copy(update={"formats": tuple(dict.fromkeys(config.formats))})
