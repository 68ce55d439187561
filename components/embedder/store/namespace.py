"""The vectors of one backbone: found by the content that they were made of.

A store never makes a run fail: what cannot be read is computed anew, what
cannot be written is not kept, and the log says so.
"""

import contextlib
import functools
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from components.embedder.store.files import Files, files_at, ignore_gone
from components.embedder.store.index import KeyIndex
from components.embedder.store.segment import (
    SUFFIX,
    DamagedError,
    Index,
    read_index,
    read_vectors,
    write_segment,
)

ABOUT = "namespace.json"
# A segment is written when so many vectors or seconds have come together, which
# is what a killed run loses.
SEGMENT_ROWS = 1024
SEGMENT_SECONDS = 5.0


class Hits(NamedTuple):
    """What was found of some keys.

    Attributes:
        vectors: `[wanted, width]` of the namespace's type; those not found are not filled in.
        marks: `[wanted]` bool.
        found: `[wanted]` bool.
        own: `[wanted]` bool: found, and computed by this very run.
        lost: `[wanted]` bool: not found, because the segment is damaged.
    """

    vectors: np.ndarray
    marks: np.ndarray
    found: np.ndarray
    own: np.ndarray
    lost: np.ndarray


class _Segment(NamedTuple):
    path: str
    content: Index
    own: bool


def digest_of(identity: Mapping[str, Any]) -> bytes:
    """Digests what vectors depend on beside the content they were made of."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


class Namespace:
    """Vectors that only differ in the content that they were made of."""

    def __init__(
        self,
        root: str,
        identity: Mapping[str, Any],
        about: Mapping[str, Any],
        width: int,
        dtype: str = "float32",
    ) -> None:
        """Reads the indices of what is there.

        Args:
            root: The store's folder or address; empty keeps nothing.
            identity: What the vectors depend on, as JSON can hold it.
            about: What people want to know of them, likewise.
            width: Length of a vector.
            dtype: Of its numbers: float32 or float16.
        """
        self.width = width
        self.dtype = np.dtype(dtype)
        self._notes: list[str] = []
        self._damaged = 0
        self._digest = digest_of(identity)
        self._about = {**about, "width": width, "dtype": dtype, "identity": identity}
        self._folder = f"{root.rstrip('/')}/{self._digest.hex()[:32]}" if root else ""
        self._files: Files = files_at(root)
        self._keys = KeyIndex()
        self._segments: dict[int, _Segment] = {}
        self._touched: set[int] = set()
        self._lost: set[bytes] = set()
        self._pending: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._pending_since = 0.0
        self._open()

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, keys: np.ndarray) -> Hits:
        """Looks up vectors and checks them.

        Args:
            keys: `[wanted, 32]` uint8, each once.

        Returns:
            What was found.
        """
        self.flush()
        count = len(keys)
        vectors = np.empty((count, self.width), self.dtype)
        marks, found, own = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, bool)
        # Again after a loss: another segment may hold the same vector.
        while not found.all():
            wanted = np.flatnonzero(~found)
            places = self._keys.find(keys[wanted])
            numbers = np.unique(places[places[:, 0] >= 0, 0])
            if not len(numbers):
                break
            for number in numbers:
                chosen = np.flatnonzero(places[:, 0] == number)
                chosen = chosen[np.argsort(places[chosen, 1])]
                rows, segment = wanted[chosen], self._segments[number]
                try:
                    vectors[rows] = self._read(number, places[chosen, 1])
                except OSError as error:
                    self._forget(number, str(error))
                    continue
                marks[rows] = segment.content.marks[places[chosen, 1]]
                own[rows], found[rows] = segment.own, True
        lost = np.zeros(count, bool)
        if self._lost:
            lost = np.array([key.tobytes() in self._lost for key in keys], bool) & ~found
        return Hits(vectors, marks, found, own, lost)

    def take_notes(self) -> list[str]:
        """Gives what a person should know, each thing once."""
        notes, self._notes = self._notes, []
        if self._damaged:
            files = "a file" if self._damaged == 1 else f"{self._damaged} files"
            notes.append(
                f"{files} of the feature store had been damaged: deleted, and what was needed of "
                "it computed anew"
            )
        self._damaged = 0
        return notes

    def add(self, keys: np.ndarray, vectors: np.ndarray, marks: np.ndarray) -> None:
        """Keeps vectors that were computed; writes when enough have come together.

        Args:
            keys: `[rows, 32]` uint8.
            vectors: `[rows, width]`.
            marks: `[rows]` bool.
        """
        if not self._folder:
            return
        if not self._pending:
            self._pending_since = time.monotonic()
        self._pending.append((keys, np.array(vectors, self.dtype), marks))
        rows = sum(len(one) for one, _, _ in self._pending)
        if rows >= SEGMENT_ROWS or time.monotonic() - self._pending_since > SEGMENT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what is held back."""
        if not self._pending:
            return
        keys, vectors, marks = (np.concatenate(one) for one in zip(*self._pending, strict=True))
        self._pending = []
        path = f"{self._folder}/{uuid.uuid4().hex}{SUFFIX}"
        content = write_segment(self._digest, keys, marks, vectors)
        try:
            self._files.write(path, content)
            if not self._described():
                self._describe()
        except OSError as error:
            self._give_up(f"New vectors are not kept for later runs: {error}")
            return
        self._insert(path, len(content), own=True)

    def _open(self) -> None:
        if not self._folder:
            return
        try:
            listing = self._files.listing(self._folder)
        except OSError as error:
            self._give_up(f"No vectors of earlier runs can be read: {error}")
            return
        for one in listing:
            if one.name.endswith(SUFFIX):
                self._insert(one.path, one.size, own=False)
        self._keys.merge()

    def _insert(self, path: str, size: int, *, own: bool) -> None:
        number = len(self._segments)
        read = functools.partial(self._files.read, path)
        try:
            index = read_index(read, size, self._digest)
            if index.width != self.width or index.size != size:
                self._lost.update(key.tobytes() for key in index.keys)
                raise DamagedError(f"it has {size} bytes, not {index.size}")
        except DamagedError as error:
            self._discard(path, str(error))
        except OSError as error:
            # Another process may have deleted it since it was listed.
            logging.info("A segment of feature vectors is gone: %s", error)
        else:
            self._segments[number] = _Segment(path, index, own)
            self._keys.add(index.keys, number)

    def _read(self, number: int, rows: np.ndarray) -> np.ndarray:
        """Reads rows of a segment; raises OSError where they are not to be had."""
        segment = self._segments[number]
        read = functools.partial(self._files.read, segment.path)
        try:
            vectors = read_vectors(read, segment.content, rows)
        except DamagedError as error:
            self._lost.update(key.tobytes() for key in segment.content.keys)
            self._discard(segment.path, str(error))
            raise OSError(str(error)) from error
        if number not in self._touched:
            self._touched.add(number)
            with contextlib.suppress(OSError):
                self._files.touch(segment.path)
        return vectors

    def _forget(self, number: int, why: str) -> None:
        logging.info("A segment of feature vectors cannot be used: %s", why)
        self._keys.drop(number)

    def _discard(self, path: str, why: str) -> None:
        """Deletes a damaged segment."""
        self._damaged += 1
        logging.warning(
            "The segment %s of the feature store is damaged, %s: it is deleted, and its vectors "
            "are computed anew",
            path,
            why,
        )
        with contextlib.suppress(OSError):
            ignore_gone(lambda: self._files.remove(path))

    def _described(self) -> bool:
        return any(one.name == ABOUT for one in self._files.listing(self._folder))

    def _describe(self) -> None:
        text = json.dumps(self._about, sort_keys=True, indent=2) + "\n"
        self._files.write(f"{self._folder}/{ABOUT}", text.encode())

    def _give_up(self, why: str) -> None:
        """Goes on without the store."""
        logging.warning("%s", why)
        self._notes.append(why)
        self._folder = ""
