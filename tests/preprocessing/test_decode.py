"""Real files, made by Pillow, through the ops that serve them."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from preprocessing.decode import decode_image
from preprocessing.formats import format_of, refusal

SIDE = 8


def _pattern(channels: int, blocks: int = 6) -> np.ndarray:
    """Smooth blocks of random colour, so that JPEG's loss stays small."""
    rng = np.random.default_rng(7)
    tiles = rng.integers(0, 256, (blocks, blocks + 1, channels))
    return np.kron(tiles, np.ones((SIDE, SIDE, 1))).astype(np.uint8)


def _encode(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _pillow(encoded: bytes) -> np.ndarray:
    """Pillow's pixels, composited over white."""
    picture = Image.open(io.BytesIO(encoded))
    if picture.mode == "CMYK":
        return np.asarray(picture.convert("RGB"))
    over = picture.convert("RGBA")
    white = Image.new("RGBA", over.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, over).convert("RGB"))


RGB = Image.fromarray(_pattern(3))
RGBA = Image.fromarray(_pattern(4))
CMYK = Image.fromarray(_pattern(4), "CMYK")
PALETTE = RGB.quantize(16)
MANY = Image.fromarray(np.arange(48 * 56, dtype=np.uint32).reshape(48, 56).astype(np.uint8), "L")
MANY = MANY.convert("RGB").quantize(256)


def _ycck() -> bytes:
    """A CMYK JPEG whose Adobe marker says that it holds YCCK."""
    encoded = bytearray(_encode(CMYK, "JPEG", quality=95))
    encoded[encoded.index(b"Adobe") + 11] = 2
    return bytes(encoded)


CASES = {
    "jpeg": (_encode(RGB, "JPEG", quality=90), 0),
    "jpeg progressive": (_encode(RGB, "JPEG", progressive=True), 0),
    "jpeg grey": (_encode(RGB.convert("L"), "JPEG"), 0),
    "jpeg cmyk": (_encode(CMYK, "JPEG", quality=95), 2),
    "jpeg ycck": (_ycck(), 2),
    "png": (_encode(RGB, "PNG"), 0),
    "png grey": (_encode(RGB.convert("L"), "PNG"), 0),
    "png 1 bit": (_encode(RGB.convert("1"), "PNG"), 0),
    "png grey and alpha": (_encode(RGBA.convert("LA"), "PNG"), 1),
    "png palette": (_encode(PALETTE, "PNG"), 0),
    "png palette and transparency": (_encode(PALETTE, "PNG", transparency=3), 0),
    "png transparent colour": (
        _encode(RGB, "PNG", transparency=tuple(int(v) for v in _pattern(3)[0, 0])),
        0,
    ),
    "png transparent grey": (
        _encode(RGB.convert("L"), "PNG", transparency=int(np.asarray(RGB.convert("L"))[0, 0])),
        0,
    ),
    "png palette of 256 colours": (_encode(MANY, "PNG"), 0),
    "png palette of 256 colours and transparency": (
        _encode(MANY, "PNG", transparency=bytes(range(256))),
        1,
    ),
    "png rgba": (_encode(RGBA, "PNG"), 1),
    "gif": (_encode(PALETTE, "GIF"), 0),
    "gif animated": (
        _encode(PALETTE, "GIF", save_all=True, append_images=[PALETTE.rotate(180)]),
        0,
    ),
    "bmp 24 bits": (_encode(RGB, "BMP"), 0),
    "bmp grey": (_encode(RGB.convert("L"), "BMP"), 0),
}


@pytest.mark.parametrize("name", CASES)
def test_pixels_are_those_of_pillow(name):
    encoded, tolerance = CASES[name]
    assert refusal(encoded) is None
    decoded = decode_image(tf.constant(encoded)).numpy()
    assert decoded.dtype == np.uint8
    assert decoded.shape == (RGB.height, RGB.width, 3)
    difference = np.abs(decoded.astype(int) - _pillow(encoded).astype(int))
    assert difference.max() <= tolerance


def test_eager_graph_tf_data_and_map_fn_agree():
    names = list(CASES)
    encoded = [CASES[name][0] for name in names]
    eager = [decode_image(tf.constant(one)).numpy() for one in encoded]

    graph = tf.function(decode_image, input_signature=[tf.TensorSpec([], tf.string)])
    for one, expected in zip(encoded, eager, strict=True):
        np.testing.assert_array_equal(graph(tf.constant(one)), expected)

    dataset = tf.data.Dataset.from_tensor_slices(encoded).map(decode_image)
    for decoded, expected in zip(dataset, eager, strict=True):
        np.testing.assert_array_equal(decoded, expected)

    mapped = tf.map_fn(decode_image, tf.constant(encoded), fn_output_signature=tf.uint8)
    np.testing.assert_array_equal(mapped, np.stack(eager))


def test_a_png_of_16_bits_keeps_the_upper_8():
    values = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    encoded = _encode(Image.fromarray(values), "PNG")
    decoded = decode_image(tf.constant(encoded)).numpy()
    np.testing.assert_array_equal(decoded[..., 0], values >> 8)
    np.testing.assert_array_equal(decoded[..., 0], decoded[..., 2])


def test_alpha_is_composited_over_white_by_hand():
    pixels = np.array([[[200, 100, 0, 0], [200, 100, 0, 255], [200, 100, 0, 51]]], np.uint8)
    encoded = _encode(Image.fromarray(pixels), "PNG")
    decoded = decode_image(tf.constant(encoded)).numpy()
    # 0.2 * 200 + 0.8 * 255 = 244, 0.2 * 100 + 204 = 224, 0.8 * 255 = 204
    np.testing.assert_array_equal(decoded, [[[255, 255, 255], [200, 100, 0], [244, 224, 204]]])


def test_the_fourth_channel_of_a_bmp_is_padding():
    encoded = _encode(RGBA, "BMP")
    assert encoded[28] == 32
    np.testing.assert_array_equal(decode_image(tf.constant(encoded)), _pattern(4)[..., :3])


def test_the_exif_orientation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = _encode(RGB, "JPEG", exif=exif)
    np.testing.assert_array_equal(
        decode_image(tf.constant(turned)), decode_image(tf.constant(_encode(RGB, "JPEG")))
    )


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"ab",
        b"not a picture at all",
        _encode(RGB, "WEBP"),
        CASES["jpeg"][0][:60],
        CASES["jpeg"][0][: len(CASES["jpeg"][0]) // 2],
        CASES["png"][0][:40],
        CASES["png"][0][: len(CASES["png"][0]) // 2],
        CASES["gif"][0][:12],
        CASES["bmp 24 bits"][0][:100],
    ],
)
def test_what_is_no_whole_picture_is_refused(encoded):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_image(tf.constant(encoded))


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("JPEG", CASES["jpeg"][0]),
        ("PNG", CASES["png"][0]),
        ("GIF", CASES["gif"][0]),
        ("BMP", CASES["bmp 24 bits"][0]),
        (None, _encode(RGB, "WEBP")),
        (None, b""),
    ],
)
def test_the_format_is_told_from_the_bytes(name, encoded):
    assert format_of(encoded) == name


def _palette_bmp() -> bytes:
    return _encode(PALETTE, "BMP")


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"", "the file is empty"),
        (
            _encode(RGB, "WEBP"),
            "WebP: no op of the TensorFlow that serves the model decodes it; "
            "convert it to PNG or JPEG",
        ),
        (
            _encode(RGB, "TIFF"),
            "TIFF: no op of the TensorFlow that serves the model decodes it; "
            "convert it to PNG or JPEG",
        ),
        (
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
            "HEIC: no op of the TensorFlow that serves the model decodes it; "
            "convert it to PNG or JPEG",
        ),
        (
            b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
            "SVG: no op of the TensorFlow that serves the model decodes it; "
            "convert it to PNG or JPEG",
        ),
        (
            b"<!DOCTYPE html><html></html>",
            "the file is a web page, not a picture: the download that made it probably failed",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "the file is a Git LFS pointer, not the picture: run git lfs pull",
        ),
        (
            b"a shopping list",
            "not a JPEG, PNG, GIF or BMP: the file starts with b'a shoppi'",
        ),
        (b"BM123", "BMP: the file is cut short"),
        (
            _palette_bmp(),
            "BMP with 8 bits for a pixel and compression 0: TensorFlow decodes only plain BMPs "
            "of 24 or 32 bits and grey ones of 8; convert it to PNG or JPEG",
        ),
        (
            _encode(RGB.convert("1"), "BMP"),
            "BMP with 1 bits for a pixel and compression 0: TensorFlow decodes only plain BMPs "
            "of 24 or 32 bits and grey ones of 8; convert it to PNG or JPEG",
        ),
        (
            b"BM" + bytes(12) + struct.pack("<I", 12) + bytes(60),
            "BMP of OS/2: no op of TensorFlow decodes it; convert it to PNG or JPEG",
        ),
    ],
)
def test_the_reason_why_a_file_is_not_read_says_what_to_do(encoded, reason):
    assert refusal(encoded) == reason


def test_an_opaque_png_of_16_bits_with_colour_is_not_washed_out():
    """TensorFlow's filler for a missing alpha depends on the depth."""
    rows = b"".join(
        b"\x00" + b"".join(struct.pack(">3H", 65535, 256 * x, 0) for x in range(4))
        for _ in range(2)
    )
    decoded = decode_image(tf.constant(_png(depth=16, colour_type=2, width=4, rows=rows)))
    np.testing.assert_array_equal(decoded[0], [[255, 0, 0], [255, 1, 0], [255, 2, 0], [255, 3, 0]])


def _png(depth: int, colour_type: int, width: int, rows: bytes, height: int = 2) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
