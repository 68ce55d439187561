"""Pictures as a backbone wants them: decoded, resized, scaled, in the graph.

The same functions run when features are made, when the model is evaluated and
when it serves. What one backbone wants is an `ImageInput`; how bytes become
pixels is in decode.py.
"""

from typing import Literal

import tensorflow as tf

from preprocessing.config import ImageFeature
from preprocessing.decode import decode_image
from preprocessing.inputs import ImageInput

MISSING = b""


def resize_and_scale(picture: tf.Tensor, wanted: ImageInput) -> tf.Tensor:
    """Brings one decoded picture to the size and range of a backbone.

    The whole picture is kept, its sides stretched to the wanted ones, unless
    `shortest_edge` asks for its centre. Shrinking averages over the source
    pixels (antialias), so that a large photo is not sampled at single points.

    Args:
        picture: `[height, width, 3]` uint8, 0 to 255.
        wanted: Size and range of the result.

    Returns:
        `[wanted.height, wanted.width, 3]` float32 within `wanted.input_range`.
    """
    low, high = wanted.input_range
    size = [wanted.height, wanted.width]
    if wanted.shortest_edge is None:
        resized = _resize(picture, size, wanted.resample)
    else:
        resized = _centre(picture, wanted)
    scaled = resized * ((high - low) / 255.0)
    return tf.ensure_shape(scaled + low if low else scaled, [*size, 3])


def _resize(picture: tf.Tensor, size: tf.Tensor | list[int], resample: str) -> tf.Tensor:
    """Resizes to `[height, width, 3]` float32, 0 to 255."""

    def shrink() -> tf.Tensor:
        resized = tf.image.resize(picture, size, resample, antialias=True)
        # Nearest pixels stay uint8, and a bicubic kernel overshoots at edges.
        return tf.clip_by_value(tf.cast(resized, tf.float32), 0.0, 255.0)

    if resample != "bilinear":
        return shrink()
    # Where no side shrinks there is nothing to average: the plain op gives the
    # same values but for rounding (docs/pictures.md) in a third of the time.
    grows = tf.reduce_all(tf.shape(picture)[:2] <= size)
    return tf.cond(grows, lambda: tf.image.resize(picture, size, resample), shrink)


def _centre(picture: tf.Tensor, wanted: ImageInput) -> tf.Tensor:
    """Resizes the shorter side to `shortest_edge` and cuts out the centre."""
    sides = tf.shape(picture)[:2]
    # As HuggingFace's processors: the longer side is cut to a whole number.
    sides = sides * wanted.shortest_edge // tf.reduce_min(sides)
    resized = _resize(picture, sides, wanted.resample)
    return tf.image.resize_with_crop_or_pad(resized, wanted.height, wanted.width)


def prepare_images(
    encoded: tf.Tensor, wanted: ImageInput, decode: Literal["fast", "exact"] = "fast"
) -> tf.Tensor:
    """Decodes, resizes and scales a batch of encoded pictures.

    Args:
        encoded: `[batch]` string, each one JPEG, PNG, GIF or BMP, or empty for
            a missing picture, which becomes the lowest value all over; the
            batch may be empty.
        wanted: Size and range of the result.
        decode: As the user wrote it; see `ImageFeature`.

    Returns:
        `[batch, wanted.height, wanted.width, 3]` float32.

    Raises:
        tf.errors.InvalidArgumentError: If a picture cannot be decoded.
    """
    shape = [wanted.height, wanted.width, 3]
    enough = _enough(wanted) if decode == "fast" else None

    def prepare(one: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            one == MISSING,
            lambda: tf.fill(shape, float(wanted.input_range[0])),
            lambda: resize_and_scale(decode_image(one, enough), wanted),
        )

    return tf.map_fn(prepare, encoded, fn_output_signature=tf.TensorSpec(shape, tf.float32))


def _enough(wanted: ImageInput) -> tuple[int, int] | None:
    """Says what a picture is resized to before anything is cut off."""
    if wanted.resample == "nearest":
        # Takes single pixels, which a smaller picture has not.
        return None
    # The shorter side becomes `shortest_edge`, so that the longer one has more to spare.
    edge = wanted.shortest_edge
    return (wanted.height, wanted.width) if edge is None else (edge, edge)


def add_image(
    name: str, raw: tf.Tensor, feature: ImageFeature, wanted: ImageInput | None
) -> dict[str, tf.Tensor]:
    """Adds a picture's part of the transform graph; see kinds.py.

    Nothing is analysed, so that no picture is decoded while Transform runs.
    """
    assert wanted is not None  # Every image feature has a backbone.
    return {name: prepare_images(raw, wanted, feature.decode)}


def is_missing(raw: tf.Tensor) -> tf.Tensor:
    """Tells which of `[batch]` encoded pictures are missing."""
    return raw == MISSING
