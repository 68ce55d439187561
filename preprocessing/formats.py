"""Which picture formats are read, told from their first bytes; no TensorFlow.

A format is one row of FORMATS (read by decode.py) or of REFUSED (recognised, so
that the reason why it is not read can be given). Extensions are only used to
tell which files of a folder are meant to be pictures: what a file is, its bytes
say.
"""

import struct

FORMATS: tuple[tuple[str, bytes], ...] = (
    ("JPEG", b"\xff\xd8\xff"),
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("GIF", b"GIF87a"),
    ("GIF", b"GIF89a"),
    ("BMP", b"BM"),
)

# Name, offset and bytes of what is recognised but not read.
REFUSED: tuple[tuple[str, int, bytes], ...] = (
    ("WebP", 8, b"WEBP"),
    ("TIFF", 0, b"II*\x00"),
    ("TIFF", 0, b"MM\x00*"),
    ("AVIF", 4, b"ftypavi"),
    ("HEIC", 4, b"ftyphei"),
    ("HEIC", 4, b"ftyphev"),
    ("HEIC", 4, b"ftypmif1"),
    ("JPEG 2000", 4, b"jP  \r\n\x87\n"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("JPEG XL", 4, b"JXL \r\n\x87\n"),
    ("PSD", 0, b"8BPS"),
    ("ICO", 0, b"\x00\x00\x01\x00"),
    ("PDF", 0, b"%PDF-"),
)

# fmt: off
EXTENSIONS: frozenset[str] = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib",
    ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jxl",
    ".psd", ".ico", ".svg",
})
# fmt: on

# What one picture may have: 192 MB decoded. A phone's largest usual picture has
# 50 million.
MAX_PIXELS = 64_000_000

_CONVERT = "convert it to PNG or JPEG"
_BITFIELDS = struct.pack("<3I", 0xFF0000, 0xFF00, 0xFF)


def format_of(encoded: bytes) -> str | None:
    """Tells the format of a picture from its first bytes.

    Args:
        encoded: The file's bytes; may be empty.

    Returns:
        JPEG, PNG, GIF or BMP, or None for anything else.
    """
    return next((name for name, magic in FORMATS if encoded.startswith(magic)), None)


def refusal(encoded: bytes) -> str | None:
    """Says why `decode_image` must not be given these bytes.

    Only the format is judged, not whether the content is intact.

    Args:
        encoded: The file's bytes; may be empty.

    Returns:
        The reason and what to do, or None where the format is read.
    """
    if not encoded:
        return "the file is empty"
    name = format_of(encoded)
    if name == "BMP":
        return _bmp_refusal(encoded)
    if name:
        return None
    for name, offset, magic in REFUSED:
        if encoded[offset:].startswith(magic):
            return _no_op(name)
    start = encoded[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return _no_op("SVG")
    if start.startswith((b"<!doctype html", b"<html")):
        return "the file is a web page, not a picture: the download that made it probably failed"
    if start.startswith(b"version https://git-lfs"):
        return "the file is a Git LFS pointer, not the picture: run git lfs pull"
    return f"not a JPEG, PNG, GIF or BMP: the file starts with {encoded[:8]!r}"


def _no_op(name: str) -> str:
    return f"{name}: no op of the TensorFlow that serves the model decodes it; {_CONVERT}"


def _bmp_refusal(encoded: bytes) -> str | None:
    """Judges a BMP: TensorFlow's op ignores palettes, masks and compression."""
    if len(encoded) < 54:
        return "BMP: the file is cut short"
    (header_bytes,) = struct.unpack_from("<I", encoded, 14)
    bits, compression = struct.unpack_from("<HI", encoded, 28)
    if header_bytes < 40:
        return f"BMP of OS/2: no op of TensorFlow decodes it; {_CONVERT}"
    standard = compression == 0 or (compression == 3 and encoded[54:66] == _BITFIELDS)
    if bits in (24, 32) and standard:
        return None
    if bits == 8 and compression == 0 and _has_grey_palette(encoded, 14 + header_bytes):
        return None
    return (
        f"BMP with {bits} bits for a pixel and compression {compression}: TensorFlow decodes "
        f"only plain BMPs of 24 or 32 bits and grey ones of 8; {_CONVERT}"
    )


def _has_grey_palette(encoded: bytes, start: int) -> bool:
    ramp = b"".join(bytes((level, level, level)) for level in range(256))
    palette = encoded[start : start + 1024]
    blues_greens_reds = b"".join(palette[at : at + 3] for at in range(0, 1024, 4))
    return blues_greens_reds == ramp
