"""Looks at the headers of a request's pictures before TensorFlow decodes them.

What ingest refuses, the server refuses with the same reason, so that no request
meets a model that never saw such a picture, and none takes more memory than
bounded.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from preprocessing.formats import format_of, refusal
from preprocessing.picture_size import picture_size, size_refusal
from serving.server.refusal import invalid

# A request's pictures may have so many times the pixels that one may have.
_TOGETHER = 8


def check_pictures(inputs: Mapping[str, np.ndarray], names: Sequence[str], max_pixels: int) -> None:
    """Refuses a request with a picture that must not be decoded.

    Args:
        inputs: The request's arrays, by name. Serialized tf.Examples under
            another name than a feature's are looked into.
        names: Which features are encoded pictures; an empty one is missing.
        max_pixels: That one picture may have.

    Raises:
        Refusal: With the place and the reason.
    """
    total = 0
    for place, encoded in _pictures_in(inputs, names):
        total += _pixels(place, encoded, max_pixels)
        if total > _TOGETHER * max_pixels:
            raise invalid(f"The request's pictures have more than {_TOGETHER * max_pixels} pixels")


def _pictures_in(
    inputs: Mapping[str, np.ndarray], names: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    for name, array in inputs.items():
        if array.dtype != object or not names:
            continue
        for at, value in enumerate(array.ravel()):
            if name in names:
                yield f"{name}[{at}]", value
            elif name == "examples":
                yield from _pictures_of(f"{name}[{at}]", value, names)


def _pictures_of(place: str, record: bytes, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    try:
        features = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        raise invalid(f"{place}: not a serialized tf.Example") from None
    for name in names:
        # Asking a map for a key would add it.
        values = features[name].bytes_list.value if name in features else []
        yield from ((f"{place}.{name}", one) for one in values)


def _pixels(place: str, encoded: bytes, max_pixels: int) -> int:
    if not encoded:
        return 0
    reason = refusal(encoded)
    if reason:
        raise invalid(f"{place}: {reason}")
    kind = str(format_of(encoded))
    try:
        size = picture_size(kind, encoded)
    except (struct.error, tf.errors.OpError):
        raise invalid(f"{place}: {kind}: damaged or cut short") from None
    reason = size_refusal(kind, size, max_pixels)
    if reason:
        raise invalid(f"{place}: {reason}")
    return size.pixels
