"""Whether an example's pictures can be used: each is read and really decoded."""

import dataclasses
import hashlib
import itertools
import os
import re
import struct
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from components.example_gen.jpegs import AT_A_TIME, jpeg_sizes
from components.example_gen.rows import Quarantined, Row, UnusableError
from components.example_gen.sources.columns import Columns
from preprocessing.decode import decode_image
from preprocessing.formats import format_of, refusal
from preprocessing.picture_size import picture_size, size_refusal

MAX_BYTES = 256_000_000

# Of files that are read before they are looked at, in each thread.
_HELD_BYTES = 8_000_000


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is known of a picture after a look at it.

    Attributes:
        sha256: Of its bytes, 64 hexadecimal digits.
        format: JPEG, PNG, GIF or BMP.
        width: In pixels.
        height: In pixels.
        bytes: Size of the encoded picture.
    """

    sha256: str
    format: str
    width: int
    height: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class Inspected:
    """A row that is usable, with what is known of those pictures that it has."""

    row: Row
    pictures: dict[str, Picture]

    @property
    def content(self) -> str:
        """A digest of all features, without the example's name and label."""
        digests = [
            self.pictures[name].sha256 if name in self.pictures else _digest(value)
            for name, value in sorted(self.row.values.items())
        ]
        return digests[0] if len(digests) == 1 else _digest(repr(digests))


def read_picture(path: str) -> bytes:
    """Reads a picture's file.

    Raises:
        UnusableError: If there is no such file, or it cannot be read.
    """
    try:
        return _read_address(path) if "://" in path else _read_file(path)
    except (FileNotFoundError, ValueError, tf.errors.NotFoundError) as error:
        # A ValueError: no file can have a name with a zero byte.
        raise UnusableError(f"no such file: {path}") from error
    except (PermissionError, tf.errors.PermissionDeniedError) as error:
        raise UnusableError(f"no permission to read {path}") from error
    except OSError as error:
        raise UnusableError(f"the file cannot be read: {error.strerror}") from error
    except tf.errors.OpError as error:
        raise UnusableError(f"the file cannot be read: {_plain(error)}") from error


def _read_file(path: str) -> bytes:
    """Reads a file here faster than TensorFlow, which asks for its size three times."""
    with open(path, "rb", buffering=0) as file:
        _check_size(os.fstat(file.fileno()).st_size)
        return file.readall()


def _read_address(path: str) -> bytes:
    with tf.io.gfile.GFile(path, "rb") as file:
        _check_size(file.size())
        return bytes(file.read())


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise UnusableError(f"the file has {size} bytes, more than {MAX_BYTES}")


def inspect_picture(encoded: bytes) -> Picture:
    """Decodes a picture with the ops that will serve it.

    JPEGs are decoded at an eighth of their size, which reads the whole file and
    refuses what the full size refuses, in a fraction of the time. Of what
    `decode_image` does to a PNG only the decoding can fail; small ones take
    longer to be asked for the rest than to be decoded.

    Args:
        encoded: The file's bytes.

    Returns:
        What is known of it.

    Raises:
        UnusableError: If it is in another format, damaged, empty, or too large.
    """
    reason = refusal(encoded)
    if reason:
        raise UnusableError(reason)
    kind = str(format_of(encoded))
    try:
        size = picture_size(kind, encoded)
        reason = size_refusal(kind, size)
        if reason:
            raise UnusableError(reason)
        width, height = size.width, size.height
        if kind == "JPEG":
            tf.io.decode_jpeg(encoded, channels=3, ratio=8)
        elif kind == "PNG":
            tf.io.decode_png(encoded, channels=0 if encoded[24:25] < b"\x08" else 4)
        else:
            height, width = decode_image(tf.constant(encoded)).shape[:2]
    except (tf.errors.OpError, struct.error) as error:
        raise UnusableError(f"{kind}: damaged or cut short ({_plain(error)})") from error
    return _picture(encoded, kind, width, height)


def inspect_pictures(encoded: Sequence[bytes]) -> list[Picture | UnusableError]:
    """Does for many what `inspect_picture` does for one, in less time.

    Args:
        encoded: The files' bytes.

    Returns:
        For each, in the same order, what is known of it or why it is refused.
    """
    sizes: dict[int, tuple[int, int]] = {}
    jpegs = [place for place, one in enumerate(encoded) if format_of(one) == "JPEG"]
    for start in range(0, len(jpegs), AT_A_TIME):
        places = jpegs[start : start + AT_A_TIME]
        found = jpeg_sizes([encoded[place] for place in places])
        sizes.update(zip(places, found or (), strict=False))
    return [
        _picture(one, "JPEG", *sizes[place]) if place in sizes else _inspected_or_reason(one)
        for place, one in enumerate(encoded)
    ]


def _inspected_or_reason(encoded: bytes) -> Picture | UnusableError:
    try:
        return inspect_picture(encoded)
    except UnusableError as error:
        return error


def _picture(encoded: bytes, kind: str, width: int, height: int) -> Picture:
    return Picture(hashlib.sha256(encoded).hexdigest(), kind, width, height, len(encoded))


def inspect_rows(
    rows: Sequence[Row], columns: Columns, threads: int
) -> list[Inspected | Quarantined]:
    """Inspects rows side by side; TensorFlow's ops let other threads run.

    Args:
        rows: What to look at.
        columns: Which features are pictures.
        threads: How many look at some rows each at a time; bounds memory.

    Returns:
        For each row, in the same order, what is known or why not.
    """
    names = columns.named("image")

    def inspect(some: Sequence[Row]) -> list[Inspected | Quarantined]:
        paths = [row.values[name] for row in some for name in names if row.values[name]]
        found = iter(_inspect_files(paths))
        return [_found_in(row, {n: next(found) for n in names if row.values[n]}) for row in some]

    groups = [rows[start : start + AT_A_TIME] for start in range(0, len(rows), AT_A_TIME)]
    with ThreadPoolExecutor(threads) as pool:
        return list(itertools.chain.from_iterable(pool.map(inspect, groups)))


def _found_in(row: Row, found: Mapping[str, Picture | UnusableError]) -> Inspected | Quarantined:
    pictures = {}
    for name, one in found.items():
        if isinstance(one, UnusableError):
            return Quarantined(row.source, str(one), row.split, row.label)
        pictures[name] = one
    return Inspected(row, pictures)


def _inspect_files(paths: Sequence[str]) -> list[Picture | UnusableError]:
    """Reads and inspects files; holds a few at a time, of large ones fewer."""
    found: list[Picture | UnusableError] = []
    held: list[bytes | UnusableError] = []
    for path in paths:
        try:
            held.append(read_picture(path))
        except UnusableError as error:
            held.append(error)
        if sum(len(one) for one in held if isinstance(one, bytes)) > _HELD_BYTES:
            found += _inspect_read(held)
            held = []
    return found + _inspect_read(held)


def _inspect_read(held: Sequence[bytes | UnusableError]) -> list[Picture | UnusableError]:
    inspected = iter(inspect_pictures([one for one in held if isinstance(one, bytes)]))
    return [next(inspected) if isinstance(one, bytes) else one for one in held]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(error: Exception) -> str:
    """Takes TensorFlow's decoration off a message."""
    text = re.sub(r"^\{\{.*?\}\}\s*", "", str(error).strip())
    return re.sub(r"\s*\[Op:\w+\].*$", "", text, flags=re.DOTALL).rstrip(".")
