"""How many pixels a picture has, told from its headers before anything is decoded.

Checked at ingest and by the server, so that one picture does not decide how much
memory a process needs.
"""

import struct
from typing import NamedTuple

import tensorflow as tf

from preprocessing.formats import MAX_PIXELS


class PictureSize(NamedTuple):
    """What a picture's headers state.

    Attributes:
        width: In pixels.
        height: In pixels.
        frames: How many pictures the file holds; more than one only in a GIF.
        pixels: Of all frames: TensorFlow unpacks every frame of a GIF in order to
            show the first (200 of 2000x2000, a file of 0.8 MB, took it 800 MB).
    """

    width: int
    height: int
    frames: int
    pixels: int


def picture_size(kind: str, encoded: bytes) -> PictureSize:
    """Reads the headers of a picture.

    Args:
        kind: JPEG, PNG, GIF or BMP, as `format_of` tells.
        encoded: The file's bytes.

    Raises:
        struct.error: If the file ends inside its header.
        tf.errors.InvalidArgumentError: If a JPEG's header is damaged.
    """
    if kind == "JPEG":
        height, width, _ = tf.io.extract_jpeg_shape(encoded).numpy().tolist()
    elif kind == "PNG":
        width, height = struct.unpack_from(">II", encoded, 16)
    elif kind == "GIF":
        return _gif_size(encoded)
    else:
        width, height = struct.unpack_from("<ii", encoded, 18)
        # A negative height means that the rows run downwards.
        height = abs(height)
    return PictureSize(width, height, 1, width * height)


def size_refusal(kind: str, size: PictureSize, max_pixels: int = MAX_PIXELS) -> str | None:
    """Says why a picture of this size must not be decoded, or None."""
    if size.width <= 0 or size.height <= 0:
        return f"{kind}: the picture has no pixels ({size.width}x{size.height})"
    if size.width * size.height > max_pixels:
        return f"{kind}: {size.width}x{size.height} are more than {max_pixels} pixels"
    if size.pixels > max_pixels:
        return f"{kind}: its {size.frames} frames have more than {max_pixels} pixels together"
    return None


def _gif_size(encoded: bytes) -> PictureSize:
    """Adds up the frames, as far as the file goes."""
    width, height, flags = struct.unpack_from("<HHB", encoded, 6)
    frames = pixels = 0
    at = 13 + _table_bytes(flags)
    # Whatever is no extension and no frame ends the file for giflib too.
    while encoded[at : at + 1] in (b"\x21", b"\x2c"):
        if encoded[at] == 0x2C:
            if at + 10 > len(encoded):
                break
            columns, rows, flags = struct.unpack_from("<HHB", encoded, at + 5)
            frames += 1
            pixels += columns * rows
            at += 10 + _table_bytes(flags) + 1
        else:
            at += 2
        at = _skip_blocks(encoded, at)
    return PictureSize(width, height, frames, max(pixels, width * height))


def _table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(encoded: bytes, at: int) -> int:
    while at < len(encoded) and encoded[at]:
        at += encoded[at] + 1
    return at + 1
