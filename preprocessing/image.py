"""Pictures as a backbone wants them: decoded, resized, scaled, in the graph.

The same functions run when features are made, when the model is evaluated and
when it serves. What one backbone wants is an `ImageInput`; how bytes become
pixels is in decode.py.
"""

import tensorflow as tf

from preprocessing.config import Record
from preprocessing.decode import decode_image


class ImageInput(Record):
    """Size in pixels and value range of the pictures that a backbone takes."""

    height: int
    width: int
    input_range: tuple[float, float]


def resize_and_scale(picture: tf.Tensor, wanted: ImageInput) -> tf.Tensor:
    """Brings one decoded picture to the size and range of a backbone.

    The whole picture is kept: its sides are stretched to the wanted ones.
    Shrinking averages over the source pixels (antialias), so that a large
    photo is not sampled at single points.

    Args:
        picture: `[height, width, 3]` uint8, 0 to 255.
        wanted: Size and range of the result.

    Returns:
        `[wanted.height, wanted.width, 3]` float32 within `wanted.input_range`.
    """
    low, high = wanted.input_range
    resized = tf.image.resize(picture, [wanted.height, wanted.width], antialias=True)
    scaled = resized * ((high - low) / 255.0) + low
    return tf.ensure_shape(scaled, [wanted.height, wanted.width, 3])


def prepare_images(encoded: tf.Tensor, wanted: ImageInput) -> tf.Tensor:
    """Decodes, resizes and scales a batch of encoded pictures.

    Args:
        encoded: `[batch]` string, each one JPEG, PNG, GIF or BMP; the batch
            may be empty.
        wanted: Size and range of the result.

    Returns:
        `[batch, wanted.height, wanted.width, 3]` float32.

    Raises:
        tf.errors.InvalidArgumentError: If a picture cannot be decoded.
    """
    return tf.map_fn(
        lambda one: resize_and_scale(decode_image(one), wanted),
        encoded,
        fn_output_signature=tf.TensorSpec([wanted.height, wanted.width, 3], tf.float32),
    )
