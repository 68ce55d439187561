"""Where blessed models go; imports no TensorFlow."""

from pydantic import Field

from preprocessing.config import Record


class PushConfig(Record):
    """A folder that TF Serving watches: <path>/<version>/saved_model.pb."""

    path: str = Field(min_length=1)
    keep: int = Field(5, gt=0, description="versions kept; older ones are removed")
