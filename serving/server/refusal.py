"""How a request is told no: one canonical code, for both protocols, and a message.

The codes are gRPC's, which TensorFlow's errors share; REST answers them as TF
Serving does.
"""

import re

import grpc
import tensorflow as tf

Code = grpc.StatusCode

_HTTP = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.NOT_FOUND: 404,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}
_BY_NUMBER = {code.value[0]: code for code in Code}
# gRPC puts the message into a header, which must stay small.
_LONGEST = 1000
# Lines of TensorFlow's messages that only say where.
_DECORATION = ("Graph execution error", "Detected at", "<stack traces", "[[", "2 root error")


class Refusal(Exception):  # noqa: N818
    """A request is not answered, and why.

    Attributes:
        code: gRPC's status code.
        http: Status of the REST answer.
    """

    def __init__(self, code: grpc.StatusCode, message: str, http: int | None = None) -> None:
        super().__init__(message[:_LONGEST])
        self.code = code
        self.http = http or _HTTP.get(code, 500)


def invalid(message: str) -> Refusal:
    """For a request that is wrong in itself."""
    return Refusal(Code.INVALID_ARGUMENT, message)


def too_late() -> Refusal:
    """For a request that cannot be answered in time."""
    return Refusal(Code.DEADLINE_EXCEEDED, "The request could not be answered before its deadline")


def of_tensorflow(error: tf.errors.OpError) -> Refusal:
    """Turns TensorFlow's error into a refusal with its code and the line that says why."""
    lines = [
        re.sub(r"^\(\d+\) [A-Z_]+:\s*", "", line.strip()) for line in error.message.splitlines()
    ]
    reasons = [line for line in lines if line and not line.startswith(_DECORATION)]
    reason = re.sub(r"\{\{.*?\}\}\s*", "", reasons[0]) if reasons else type(error).__name__
    return Refusal(_BY_NUMBER.get(error.error_code, Code.INTERNAL), reason)
