"""From a picture's encoded bytes to its pixels, inside the graph.

The same function checks the files at ingest, feeds the backbone in training and
evaluation, and runs in the exported model, so it uses only ops that stock
TensorFlow Serving has. Which bytes it understands is told by formats.py; a new
format is a row there and a branch here.

Measured on 450 photos: the accurate inverse DCT gives exactly libjpeg's pixels
(and Pillow's) and is as fast as TensorFlow's default, which is off by 1 of 255
on average.

A JPEG that is far larger than what it is resized to is unpacked at a half, a
quarter or an eighth of its size: libjpeg then computes the averages that the
resizing would make of the pixels. How near that comes is in docs/pictures.md.
"""

from collections.abc import Callable

import tensorflow as tf

# What is left of a side, at least, in sides of what it is resized to.
SPARE = 4

_RATIOS = (1, 2, 4, 8)


def decode_image(encoded: tf.Tensor, enough: tuple[int, int] | None = None) -> tf.Tensor:
    """Decodes one JPEG, PNG, GIF or BMP to RGB.

    Grey pictures get three equal channels. CMYK and YCCK JPEGs become RGB, read
    as inverted where Adobe's marker says so. A PNG's transparency is composited
    over white, except in grey ones of fewer than 8 bits. PNGs of 16 bits keep
    the upper 8. Of a GIF the first frame is used; what it does not paint is
    black. A BMP's fourth channel is padding and is dropped; its palette is not
    read (ingest refuses such files). The orientation in EXIF is not applied:
    TensorFlow does not read it, so pictures from phones lie as their sensors
    saw them.

    Args:
        encoded: Scalar string, the file's bytes.
        enough: Height and width that the picture is to be resized to. A JPEG may
            then come smaller than it is, `SPARE` times as high and as wide at
            least. None means every pixel.

    Returns:
        `[height, width, 3]` uint8.

    Raises:
        tf.errors.InvalidArgumentError: If the bytes are none of these formats or
            the picture is damaged.
    """
    start = tf.strings.substr(encoded, 0, 4)
    image = tf.case(
        [
            (
                tf.strings.substr(start, 0, 3) == b"\xff\xd8\xff",
                lambda: _decode_jpeg(encoded, enough),
            ),
            (start == b"\x89PNG", lambda: _decode_png(encoded)),
            (start == b"GIF8", lambda: _decode_gif(encoded)),
        ],
        # Refuses every other format by name.
        default=lambda: _decode_bmp(encoded),
    )
    return tf.ensure_shape(image, [None, None, 3])


def _decode_jpeg(encoded: tf.Tensor, enough: tuple[int, int] | None) -> tf.Tensor:
    def decode(ratio: int) -> Callable[[], tf.Tensor]:
        return lambda: tf.io.decode_jpeg(
            encoded, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE"
        )

    if enough is None:
        return decode(1)()
    size = tf.io.extract_jpeg_shape(encoded)[:2]
    spare = tf.reduce_min(size // [SPARE * side for side in enough])
    # The attribute must be known when the graph is made: one node for each ratio.
    chosen = tf.reduce_sum(tf.cast(spare >= _RATIOS[1:], tf.int32))
    return tf.switch_case(chosen, [decode(ratio) for ratio in _RATIOS])


def _decode_png(encoded: tf.Tensor) -> tf.Tensor:
    # Asked for 4 channels, TensorFlow invents an alpha of 1, 3 or 15 for
    # pictures below 8 bits; asked for none, it forgets transparent colours.
    bits = tf.io.decode_raw(tf.strings.substr(encoded, 24, 1), tf.uint8)[0]
    image = tf.cond(
        bits < 8,
        lambda: tf.io.decode_png(encoded, channels=0),
        lambda: tf.io.decode_png(encoded, channels=4),
    )
    has_alpha = tf.shape(image)[-1] % 2 == 0
    return _to_rgb(tf.cond(has_alpha, lambda: _over_white(image), lambda: image))


def _decode_gif(encoded: tf.Tensor) -> tf.Tensor:
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(image, [None, None, 3])


def _decode_bmp(encoded: tf.Tensor) -> tf.Tensor:
    return _to_rgb(tf.io.decode_bmp(encoded, channels=0)[..., :3])


def _to_rgb(image: tf.Tensor) -> tf.Tensor:
    """Repeats a single channel; `[height, width, 1 or 3]` uint8 in."""
    size = tf.shape(image)[:2]
    return tf.broadcast_to(image, tf.concat([size, [3]], axis=0))


def _over_white(image: tf.Tensor) -> tf.Tensor:
    """Composites over white, rounding to nearest.

    Args:
        image: `[height, width, 2 or 4]` uint8, the last channel is alpha.

    Returns:
        `[height, width, 1 or 3]` uint8.
    """
    opaque = tf.reduce_all(image[..., -1] == 255)
    return tf.cond(opaque, lambda: image[..., :-1], lambda: _composite(image))


def _composite(image: tf.Tensor) -> tf.Tensor:
    colour = tf.cast(image[..., :-1], tf.uint16)
    alpha = tf.cast(image[..., -1:], tf.uint16)
    # x / 255 rounded to nearest is (x + 128 + (x + 128) / 256) / 256; division
    # of integers costs twice as much.
    product = colour * alpha + 255 * (255 - alpha) + 128
    shifted = tf.bitwise.right_shift(product, tf.constant(8, tf.uint16))
    rounded = tf.bitwise.right_shift(product + shifted, tf.constant(8, tf.uint16))
    return tf.cast(rounded, tf.uint8)
