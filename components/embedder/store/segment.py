"""One file of vectors: written once, checked whenever it is read.

    header   magic, version, type, vectors, width, the namespace's digest, and
             the CRC-32 of it and of the index
    index    a key of 32 bytes a vector, a mark of 1 byte a vector, the CRC-32 of
             each block of vectors
    vectors  one after another, little-endian; a block is BLOCK_ROWS of them

Any other layout is another VERSION: an older file then counts as damaged.
"""

import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SUFFIX = ".vectors"
KEY_BYTES = 32
BLOCK_ROWS = 64
_MAGIC = b"GraftVec"
_VERSION = 1
# Magic, version, type, rows, width, digest of the namespace, CRC-32 of all that and the index.
_HEADER = struct.Struct("<8sHHII32sI")
_SIGNED = _HEADER.size - 4
_TYPES: dict[int, np.dtype] = {1: np.dtype("<f4"), 2: np.dtype("<f2")}

# From a first byte and a number of bytes to these bytes.
Read = Callable[[int, int], bytes]


class DamagedError(Exception):
    """A segment is not what was written."""


class Index(NamedTuple):
    """What a segment holds, without its vectors.

    Attributes:
        keys: `[rows, 32]` uint8.
        marks: `[rows]` bool.
        checks: `[blocks]` uint32.
        width: Length of a vector.
        dtype: Of a vector's numbers.
    """

    keys: np.ndarray
    marks: np.ndarray
    checks: np.ndarray
    width: int
    dtype: np.dtype

    @property
    def start(self) -> int:
        """Where the vectors begin."""
        rows, blocks = len(self.keys), len(self.checks)
        return _HEADER.size + rows * (KEY_BYTES + 1) + blocks * 4

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.start + len(self.keys) * self.width * self.dtype.itemsize


def write_segment(
    namespace: bytes, keys: np.ndarray, marks: np.ndarray, vectors: np.ndarray
) -> bytes:
    """Makes a segment's content.

    Args:
        namespace: Digest of the namespace, 32 bytes.
        keys: `[rows, 32]` uint8, one row at least.
        marks: `[rows]` bool.
        vectors: `[rows, width]` float32 or float16.

    Returns:
        The file.
    """
    kind = next(code for code, dtype in _TYPES.items() if dtype == vectors.dtype)
    body = np.ascontiguousarray(vectors, _TYPES[kind]).tobytes()
    block = BLOCK_ROWS * len(body) // len(keys)
    checks = [zlib.crc32(body[at : at + block]) for at in range(0, len(body), block)]
    index = b"".join(
        (keys.tobytes(), marks.astype(np.uint8).tobytes(), np.array(checks, "<u4").tobytes())
    )
    head = (_MAGIC, _VERSION, kind, len(keys), vectors.shape[1], namespace)
    signed = _HEADER.pack(*head, 0)[:_SIGNED]
    return signed + struct.pack("<I", zlib.crc32(index, zlib.crc32(signed))) + index + body


def count_rows(size: int, row_bytes: int) -> int:
    """Says how many vectors of `row_bytes` bytes a segment of `size` bytes holds, exactly."""
    block = BLOCK_ROWS * (KEY_BYTES + 1 + row_bytes) + 4
    return max(0, size - _HEADER.size) * BLOCK_ROWS // block


def read_index(read: Read, size: int, namespace: bytes) -> Index:
    """Reads all but the vectors.

    Args:
        read: Of the file.
        size: Its bytes.
        namespace: Digest of the namespace that it lies in.

    Returns:
        The index.

    Raises:
        DamagedError: The file is empty or cut off, a bit of header or index
            has changed, or it belongs elsewhere.
    """
    header = read(0, _HEADER.size)
    if len(header) < _HEADER.size:
        raise DamagedError(f"it has {len(header)} bytes, fewer than its header")
    magic, version, kind, rows, width, owner, check = _HEADER.unpack(header)
    if (magic, version) != (_MAGIC, _VERSION) or kind not in _TYPES or not rows or not width:
        raise DamagedError("its header is not one of ours")
    blocks = -(-rows // BLOCK_ROWS)
    length = rows * (KEY_BYTES + 1) + blocks * 4
    body = read(_HEADER.size, length) if _HEADER.size + length <= size else b""
    if zlib.crc32(body, zlib.crc32(header[:_SIGNED])) != check:
        raise DamagedError("the checksum of its index does not match")
    if owner != namespace:
        raise DamagedError("it belongs to other vectors")
    keys, rest = body[: rows * KEY_BYTES], body[rows * KEY_BYTES :]
    return Index(
        np.frombuffer(keys, np.uint8).reshape(rows, KEY_BYTES),
        np.frombuffer(rest[:rows], np.uint8) != 0,
        np.frombuffer(rest[rows:], "<u4"),
        width,
        _TYPES[kind],
    )


def read_vectors(read: Read, index: Index, rows: np.ndarray) -> np.ndarray:
    """Reads and checks the blocks that hold some vectors.

    Args:
        read: Of the file.
        index: Its index.
        rows: `[wanted]` rows, ascending.

    Returns:
        `[wanted, width]` in the segment's type.

    Raises:
        DamagedError: The file is shorter than it was, or a bit has changed.
    """
    row_bytes = index.width * index.dtype.itemsize
    found = np.empty((len(rows), index.width), index.dtype)
    blocks = rows // BLOCK_ROWS
    wanted = np.unique(blocks)
    # Neighbouring blocks are read at once.
    for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > 1) + 1):
        first, last = int(run[0]), int(run[-1])
        begin, end = first * BLOCK_ROWS, min((last + 1) * BLOCK_ROWS, len(index.keys))
        data = memoryview(read(index.start + begin * row_bytes, (end - begin) * row_bytes))
        if len(data) < (end - begin) * row_bytes:
            raise DamagedError("it is cut off")
        step = BLOCK_ROWS * row_bytes
        for number, block in enumerate(range(first, last + 1)):
            if zlib.crc32(data[number * step : (number + 1) * step]) != index.checks[block]:
                raise DamagedError(f"the checksum of block {block} does not match")
        chosen = (blocks >= first) & (blocks <= last)
        array = np.frombuffer(data, index.dtype).reshape(-1, index.width)
        found[chosen] = array[rows[chosen] - begin]
    return found
