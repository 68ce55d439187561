"""Shards of examples to shards of feature vectors; needs no TFX.

Several shards go together, so that what is to be computed of them fills whole
batches: of 1 % new examples, a shard of 512 has five. First all are read and
their contents looked up in the store, then the backbones run on what is
missing, then the vectors are written in the order of the examples.
"""

import collections
import contextlib
import posixpath
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.embedder.counts import Counts
from components.embedder.embedding import Embedding
from components.embedder.fill import Filled, Spaces, Wanted, fill
from components.embedder.keys import content_keys, view_keys
from components.embedder.wire import to_examples

# Vectors that are held in memory until they are written, in bytes.
HELD_BYTES = 64 * 2**20
# Whole examples, pictures among them: several batches are in memory at a time.
_READ_EXAMPLES = 32
_WRITE_EXAMPLES = 64


def unfinished_folder(artifact: str) -> str:
    """Names the folder that holds what is being written; it goes when all is written."""
    return posixpath.join(artifact, ".unfinished")


class Shard(NamedTuple):
    """One file to read and the one to write.

    Attributes:
        split: The split that it belongs to.
        source: TFRecord file of tf.Examples; gzip when the name ends in .gz.
        target: TFRecord file to write, uncompressed.
        views: Augmented vectors of each example, beside its own.
        examples: How many it holds.
    """

    split: str
    source: str
    target: str
    views: int
    examples: int

    @property
    def rows(self) -> int:
        """Vectors that it will hold of each feature."""
        return self.examples * (self.views + 1)


class Piece(NamedTuple):
    """As much of a shard as is worked on at a time: `examples` from `start` on."""

    shard: Shard
    start: int
    examples: int

    @property
    def records(self) -> tf.data.Dataset:
        """Its serialized tf.Examples."""
        return read_serialized(self.shard.source).skip(self.start).take(self.examples)


class _Parts(NamedTuple):
    """What a piece holds beside vectors; keys `[examples, versions, 32]` uint8."""

    stored: dict[str, np.ndarray]
    keys: dict[str, np.ndarray]


def read_serialized(path: str) -> tf.data.Dataset:
    """Makes a dataset of the serialized tf.Examples of one TFRecord file.

    Args:
        path: A TFRecord file; gzip when the name ends in .gz.

    Returns:
        A dataset of scalar strings.
    """
    return tf.data.TFRecordDataset(path, compression_type="GZIP" if path.endswith(".gz") else "")


def group_shards(shards: Sequence[Shard], rows: int) -> list[list[Shard]]:
    """Puts neighbouring shards together.

    Args:
        shards: All of them.
        rows: Vectors of a group, at most; a larger shard is a group of its own.

    Returns:
        The groups, one after another all shards.
    """
    groups: list[list[Shard]] = []
    held = 0
    for shard in shards:
        if not groups or held + shard.rows > rows:
            groups.append([])
            held = 0
        groups[-1].append(shard)
        held += shard.rows
    return groups


def embed_shards(
    shards: Sequence[Shard],
    embedding: Embedding,
    spaces: Spaces,
    on_done: Callable[[int], None],
    held_bytes: int = HELD_BYTES,
) -> Counts:
    """Writes the feature vectors of every example of some shards, in their order.

    A target appears whole or not at all, so a killed worker leaves nothing
    that a reader could mistake for a finished shard.

    Args:
        shards: The shards.
        embedding: Makes what is written.
        spaces: Keep vectors, by feature.
        on_done: Told how many more examples are embedded, views included.
        held_bytes: Vectors to hold at a time.

    Returns:
        What was counted.
    """
    counts = Counts()
    row_bytes = sum(
        column.width * np.dtype(column.dtype).itemsize for column in embedding.columns.values()
    )
    with contextlib.ExitStack() as stack:
        target: _Target | None = None
        for pieces in cut_pieces(shards, max(1, held_bytes // max(1, row_bytes))):
            parts = [_scan(piece, embedding) for piece in pieces]
            filled = _fill_all(pieces, parts, embedding, spaces, counts, on_done)
            at = dict.fromkeys(filled, 0)
            for piece, part in zip(pieces, parts, strict=True):
                if piece.start == 0:
                    target = stack.enter_context(_Target(piece.shard.target))
                assert target is not None  # Pieces of a shard begin at 0.
                for batch in _batches(piece, part, filled, at, embedding, counts):
                    target.write(batch)
                if piece.start + piece.examples == piece.shard.examples:
                    target.finish()
    for space in {id(one): one for one in spaces.values()}.values():
        space.flush()
        for note in space.take_notes():
            counts.note(note)
    return counts


def cut_pieces(shards: Sequence[Shard], rows: int) -> Iterator[list[Piece]]:
    """Cuts shards into as much as is worked on at a time.

    Args:
        shards: The shards.
        rows: Vectors at a time, at most; those of one example, at least.

    Yields:
        Pieces, in order; a shard without examples is one piece.
    """
    pieces: list[Piece] = []
    room = rows
    for shard in shards:
        start = 0
        while start == 0 or start < shard.examples:
            examples = min(shard.examples - start, max(room // (shard.views + 1), not pieces))
            if examples == 0 and shard.examples:
                yield pieces
                pieces, room = [], rows
                continue
            pieces.append(Piece(shard, start, examples))
            start, room = start + examples, room - examples * (shard.views + 1)
            if not shard.examples:
                break
    if pieces:
        yield pieces


class _Target:
    """A file that appears under its name when it is finished.

    Until then it is beside the split's folder: what reads that takes every file
    in it, and a worker that was lost may leave one, or go on for a while.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        split = posixpath.dirname(path)
        folder = unfinished_folder(posixpath.dirname(split))
        for one in (split, folder):
            tf.io.gfile.makedirs(one)
        self._unfinished = posixpath.join(folder, uuid.uuid4().hex)

    def __enter__(self) -> "_Target":
        self._writer = tf.io.TFRecordWriter(self._unfinished)
        return self

    def write(self, batch: Mapping[str, np.ndarray]) -> None:
        for example in to_examples(batch):
            self._writer.write(example)

    def finish(self) -> None:
        self._writer.close()
        tf.io.gfile.rename(self._unfinished, self._path, overwrite=True)

    def __exit__(self, *_: object) -> None:
        if tf.io.gfile.exists(self._unfinished):
            self._writer.close()
            tf.io.gfile.remove(self._unfinished)


def _scan(piece: Piece, embedding: Embedding) -> _Parts:
    stored: dict[str, list[np.ndarray]] = collections.defaultdict(list)
    keys: dict[str, list[np.ndarray]] = collections.defaultdict(list)
    views = range(1, piece.shard.views + 1)
    for serialized in piece.records.batch(_READ_EXAMPLES):
        scanned = embedding.scan(serialized)
        for name, values in scanned.stored.items():
            stored[name].append(values)
        for name, contents in scanned.raw.items():
            column, own = embedding.columns[name], content_keys(contents)
            seeds = [embedding.seeds(serialized, view) for view in views if column.seeded]
            versions = [own, *(view_keys(own, one, column.views) for one in seeds)]
            keys[name].append(np.stack(versions, axis=1))
    return _Parts(
        {name: np.concatenate(batches) for name, batches in stored.items()},
        {name: np.concatenate(batches) for name, batches in keys.items()},
    )


def _fill_all(
    pieces: Sequence[Piece],
    parts: Sequence[_Parts],
    embedding: Embedding,
    spaces: Spaces,
    counts: Counts,
    on_done: Callable[[int], None],
) -> dict[str, Filled]:
    """Finds or computes the vectors of all features, one after another."""
    total = sum(piece.examples * (piece.shard.views + 1) for piece in pieces)
    told, done = 0, 0.0

    def advance(rows: float) -> None:
        nonlocal told, done
        done += rows / len(embedding.columns)
        if int(done) > told:
            on_done(int(done) - told)
            told = int(done)

    filled = {}
    for name in embedding.columns:
        wanted = [
            Wanted(piece.records, part.keys[name])
            for piece, part in zip(pieces, parts, strict=True)
            if piece.examples
        ]
        # A text is embedded once for all views of its example.
        share = total / max(1, sum(one.keys.shape[0] * one.keys.shape[1] for one in wanted))
        filled[name] = fill(
            name,
            wanted,
            embedding,
            spaces[name],
            counts,
            lambda rows, share=share: advance(rows * share),  # type: ignore[misc]
        )
    if total > told:
        on_done(total - told)
    return filled


def _batches(
    piece: Piece,
    part: _Parts,
    filled: Mapping[str, Filled],
    at: dict[str, int],
    embedding: Embedding,
    counts: Counts,
) -> Iterator[dict[str, np.ndarray]]:
    """Puts together what is written of a piece.

    Args:
        piece: The piece.
        part: What is known of it beside vectors.
        filled: The vectors.
        at: How far their places are used up, by feature; moves on.
        embedding: Knows which marks count.
        counts: Counts them.

    Yields:
        Rows by name: each example, its augmented views behind it.
    """
    versions = piece.shard.views + 1
    for start in range(0, piece.examples, _WRITE_EXAMPLES):
        chosen = slice(start, min(start + _WRITE_EXAMPLES, piece.examples))
        count = chosen.stop - chosen.start
        batch = {
            name: np.repeat(values[chosen], versions, axis=0)
            for name, values in part.stored.items()
        }
        for name, one in filled.items():
            own = part.keys[name].shape[1]
            places = one.places[at[name] : at[name] + count * own]
            at[name] += len(places)
            if embedding.columns[name].marked:
                counts.truncated(name, piece.shard.split, int(one.marks[places].sum()))
            batch[name] = np.repeat(one.vectors[places], versions // own, axis=0)
        yield batch
