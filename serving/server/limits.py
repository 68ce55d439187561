"""How much one request, and all of them together, may ask of the server."""

import os

from pydantic import Field

from preprocessing.config import Record
from preprocessing.formats import MAX_PIXELS


class Limits(Record):
    """Bounds of the local server.

    Attributes:
        max_bytes: Of one request's body or message.
        max_batch: Examples in one request.
        max_queue: Requests that may wait for their turn.
        max_pixels: Of one picture; those of a request may have eight times as
            many together.
        max_seconds: From a request's arrival to its answer.
        parallel: Requests that run at a time. TensorFlow spreads one over all
            cores; more at a time than cores made each slower and all no faster.
    """

    max_bytes: int = Field(32 * 2**20, gt=0)
    max_batch: int = Field(1024, gt=0)
    max_queue: int = Field(64, ge=0)
    max_pixels: int = Field(MAX_PIXELS, gt=0)
    max_seconds: float = Field(30.0, gt=0)
    parallel: int = Field(default_factory=lambda: os.cpu_count() or 1, gt=0)

    @property
    def max_requests(self) -> int:
        """Requests that are in the server at a time."""
        return self.parallel + self.max_queue
