"""The vectors of some examples: from the store what is there, from the backbone the rest."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.embedder.counts import Counts
from components.embedder.embedding import Embedding, Vectors
from components.embedder.store.namespace import Namespace
from components.embedder.store.segment import KEY_BYTES
from preprocessing.errors import DataError, explain
from preprocessing.streams import plain

Spaces = Mapping[str, Namespace]


class Wanted(NamedTuple):
    """Examples whose vectors are wanted.

    Attributes:
        records: Their serialized tf.Examples.
        keys: `[examples, versions, 32]` uint8: the feature's own, then each
            augmented view's.
    """

    records: tf.data.Dataset
    keys: np.ndarray


class Filled(NamedTuple):
    """Vectors of one feature, each once.

    Attributes:
        vectors: `[different, width]`, of the column's type.
        marks: `[different]` bool.
        places: Which of them an example's version has, `[examples · versions]`.
    """

    vectors: np.ndarray
    marks: np.ndarray
    places: np.ndarray


def open_spaces(root: str, embedding: Embedding, code_digest: str) -> dict[str, Namespace]:
    """Opens the namespace of each feature; features with the same backbone share one.

    Args:
        root: The store; empty keeps nothing.
        embedding: Knows the features.
        code_digest: Digest of the code that makes vectors.

    Returns:
        The namespaces by feature.
    """
    opened: dict[str, Namespace] = {}
    spaces = {}
    for name, column in embedding.columns.items():
        identity = {**column.identity, "code": code_digest}
        space = repr(identity)
        if space not in opened:
            opened[space] = Namespace(root, identity, column.about, column.width, column.dtype)
        spaces[name] = opened[space]
    return spaces


def fill(
    name: str,
    wanted: Sequence[Wanted],
    embedding: Embedding,
    space: Namespace,
    counts: Counts,
    on_done: Callable[[int], None],
) -> Filled:
    """Finds or computes the vectors of one feature.

    Args:
        name: The feature.
        wanted: The examples.
        embedding: Computes.
        space: Keeps.
        counts: Counts where vectors came from.
        on_done: Told how many more versions of examples have theirs.

    Returns:
        The vectors.

    Raises:
        DataError: A number is too large for the type that vectors are kept in.
    """
    no_keys = np.zeros((0, KEY_BYTES), np.uint8)
    keys = np.concatenate([no_keys, *(one.keys.reshape(-1, KEY_BYTES) for one in wanted)])
    first, places = _distinct(keys)
    times = np.bincount(places, minlength=len(first))
    hits = space.find(keys[first])
    on_done(int(times[hits.found].sum()))
    missing = np.flatnonzero(~hits.found)
    came = 0
    for batch in _compute(name, wanted, first[missing], embedding):
        rows = missing[batch.slots]
        came += len(rows)
        vectors = _cast(batch.vectors, hits.vectors.dtype, name)
        hits.vectors[rows], hits.marks[rows] = vectors, batch.cut
        # What is no number is the Trainer's to refuse, and not to be kept: it may
        # have been a fault of the moment.
        sound = np.isfinite(vectors).all(axis=1)
        space.add(keys[first[rows[sound]]], vectors[sound], batch.cut[sound])
        on_done(int(times[rows].sum()))
    if came != len(missing):
        raise RuntimeError(
            f"The backbone of {name!r} gave {came} vectors of {len(missing)} examples"
        )
    kept = int(times[hits.found & ~hits.own].sum())
    counts.vectors(
        name,
        new=len(missing),
        kept=kept,
        duplicates=len(keys) - kept - len(missing),
        recomputed=int(hits.lost.sum()),
    )
    return Filled(hits.vectors, hits.marks, places)


def _cast(vectors: np.ndarray, dtype: np.dtype, name: str) -> np.ndarray:
    if vectors.dtype == dtype:
        return vectors
    with np.errstate(over="ignore"):
        cast = vectors.astype(dtype)
    if (np.isinf(cast) & np.isfinite(vectors)).any():
        largest = float(np.abs(vectors[np.isfinite(vectors)]).max())
        raise DataError(
            explain(
                f"The feature vectors of {name!r} hold numbers that are too large for {dtype}, "
                f"which ends at {np.finfo(dtype).max:g}.",
                largest,
                [f"features.{name}.vectors: float32"],
                see="docs/feature-store.md",
            )
        )
    return cast


def _distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds the first place of each different key, in order, and where each one belongs."""
    whole = np.ascontiguousarray(keys).view(f"V{KEY_BYTES}").ravel()
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    order = np.argsort(first)
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    return first[order], ranks[inverse.ravel()]


def _compute(
    name: str, wanted: Sequence[Wanted], at: np.ndarray, embedding: Embedding
) -> Iterator[Vectors]:
    """Computes the versions at some places; slots say which of `at` came out."""
    if not len(at):
        return
    slots = np.full(sum(one.keys.shape[0] * one.keys.shape[1] for one in wanted), -1, np.int64)
    slots[at] = np.arange(len(at))
    # One stream a number of versions, which makes the shape of what is decoded together.
    streams: dict[int, tf.data.Dataset] = {}
    start = 0
    for records, keys in wanted:
        examples, versions = keys.shape[:2]
        own = slots[start : start + examples * versions].reshape(examples, versions)
        start += examples * versions
        if (own >= 0).any():
            one = tf.data.Dataset.zip((records, tf.data.Dataset.from_tensor_slices(own)))
            one = one.filter(plain(lambda _, slot: tf.reduce_any(slot >= 0)))
            streams[versions] = streams[versions].concatenate(one) if versions in streams else one
    for stream in streams.values():
        yield from embedding.embed(name, stream)
