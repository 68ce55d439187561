"""Where blessed models go; imports no TensorFlow."""

from pydantic import Field

from preprocessing.config import Record


class PushConfig(Record):
    """A folder that TF Serving watches: <path>/<version>/saved_model.pb."""

    path: str = Field(
        min_length=1,
        description="a folder, or an address that TensorFlow writes to, such as gs://bucket/name",
    )
    keep: int = Field(5, gt=0, description="versions kept; older ones are removed")
    warmup: int = Field(
        8,
        ge=0,
        le=100,
        description="examples of the eval split that a server answers before its first request; "
        "they travel with the model, so 0 where they must not leave the pipeline",
    )
    again: bool = Field(
        False, description="push a model even where this very one was rolled back from"
    )
