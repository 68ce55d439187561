"""Which of the user's files a record comes from, and where it stands in it.

ImportExampleGen shuffles records and forgets their places. It passes their
bytes on unchanged, though, so that digests find them again: eight bytes are
kept of each record, so that millions fit into memory.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.example_gen.sources.tfrecord import compression


def index_file(path: str, target: str) -> int:
    """Writes the digests of a TFRecord file's records, in their order.

    Args:
        path: The file; gzip where its name ends in .gz.
        target: The file to write.

    Returns:
        How many records there are.
    """
    records = tf.data.TFRecordDataset(path, compression(path)).as_numpy_iterator()
    digests = b"".join(map(_digest, records))
    with tf.io.gfile.GFile(target, "wb") as file:
        file.write(digests)
    return len(digests) // 8


class Origins:
    """Finds records in the files that were indexed."""

    def __init__(self, indexes: Sequence[tuple[str, str]]) -> None:
        """Reads the indexes.

        Args:
            indexes: What the user knows each file by, and its index.
        """
        self._names = [name for name, _ in indexes]
        digests = [_read(index) for _, index in indexes]
        self._starts = np.cumsum([0, *map(len, digests)])
        joined = np.concatenate([np.empty(0, np.uint64), *digests])
        self._order = np.argsort(joined, kind="stable")
        self._sorted = joined[self._order]

    def __len__(self) -> int:
        """Counts the records of all files."""
        return len(self._sorted)

    def find(self, record: bytes) -> str | None:
        """Says where a record stands.

        Args:
            record: Its bytes.

        Returns:
            `file:number`, counted from 1; the first place where the same bytes
            stand more than once, None where they are not known.
        """
        digest = np.frombuffer(_digest(record), np.uint64)[0]
        place = np.searchsorted(self._sorted, digest)
        if place == len(self) or self._sorted[place] != digest:
            return None
        at = self._order[place]
        file = int(np.searchsorted(self._starts, at, side="right")) - 1
        return f"{self._names[file]}:{at - self._starts[file] + 1}"


def _digest(record: bytes) -> bytes:
    return hashlib.blake2b(record, digest_size=8).digest()


def _read(index: str) -> np.ndarray:
    with tf.io.gfile.GFile(index, "rb") as file:
        return np.frombuffer(file.read(), np.uint64)
