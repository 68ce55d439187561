"""Reads feature vectors from TFRecords and makes batches of them.

Another storage format is another `read_*` here that yields the same elements.
"""

import collections
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from preprocessing.config import missing_name
from preprocessing.errors import DataError
from preprocessing.streams import plain, untuned
from trainer.head_inputs import HeadInput, from_stored, stored_columns
from trainer.records import read_records

# A split up to this size is kept in memory, as 52,000 vectors of 1,280 floats
# are; a larger one is read again in every epoch.
MEMORY_LIMIT_BYTES = 256 * 2**20
# What shuffling a streamed split may hold.
SHUFFLE_LIMIT_BYTES = 64 * 2**20
_PARSE_BATCH = 256
# Keeps the seeds of shuffling apart from 0.
_APART = 1_000_003


class Split(NamedTuple):
    """A split after one look at it.

    Attributes:
        dataset: Its examples with a known label, unbatched.
        arrays: The same as one array per feature `[examples, width]` float32
            and the labels `[examples, …]`; None when too large for memory.
        examples: Number of examples in `dataset`.
        unknown: Number of examples left out, their label not being known.
        means: For each feature its mean over the examples that have a value,
            `[width]` float64.
        variances: For each feature its variance over the same, `[width]` float64.
    """

    dataset: tf.data.Dataset
    arrays: tuple[dict[str, np.ndarray], np.ndarray] | None
    examples: int
    unknown: int
    means: dict[str, np.ndarray]
    variances: dict[str, np.ndarray]


def read_features(
    files: str | Sequence[str],
    inputs: Mapping[str, HeadInput],
    label_name: str,
    label: tf.io.FixedLenFeature,
) -> tf.data.Dataset:
    """Reads TFRecords of tf.Examples that hold the head's inputs.

    Args:
        files: File patterns, one or several; gzip where a name ends in .gz.
        inputs: What the head gets, by name.
        label_name: Name of the label.
        label: How a label is stored, see trainer/tasks.

    Returns:
        `({feature: [width] float32}, label)`, one for each example, in the
        order of the file names, gzipped files last.

    Raises:
        DataError: If no file matches.
    """
    records = read_records(files, "feature vectors")
    columns = {**stored_columns(inputs), label_name: label}

    @plain
    def parse(serialized: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        parsed = tf.io.parse_example(serialized, columns)
        return from_stored(parsed, inputs), parsed[label_name]

    # Parsing a batch at a time is several times as fast as one by one.
    return records.batch(_PARSE_BATCH).map(parse, tf.data.AUTOTUNE).unbatch()


def known_labels(
    dataset: tf.data.Dataset, is_known: Callable[[tf.Tensor], tf.Tensor]
) -> Iterator[np.ndarray]:
    """Passes over the labels of a split.

    Args:
        dataset: Elements as `read_features` yields them.
        is_known: As `scan` takes it.

    Yields:
        The labels that are known, `[batch, …]`.
    """
    for labels in (
        dataset.map(plain(lambda _, label: label)).batch(_PARSE_BATCH).as_numpy_iterator()
    ):
        yield labels[np.asarray(is_known(labels))]


def scan(
    dataset: tf.data.Dataset,
    is_known: Callable[[tf.Tensor], tf.Tensor],
    limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> Split:
    """Passes over a split once: counts it, averages it, keeps it if it is small.

    Memory stays below about twice `limit_bytes`, however large the split.

    Args:
        dataset: Elements as `read_features` yields them.
        is_known: From labels `[batch, …]` to `[batch]` bool; examples whose
            label is not known are left out.
        limit_bytes: The size of features above which nothing is kept.

    Returns:
        What was seen. With no examples, the statistics are empty.

    Raises:
        DataError: If a feature holds NaN or infinity.
    """
    known = dataset.filter(plain(lambda _, label: is_known(label[tf.newaxis])[0]))
    sums: dict[str, np.ndarray] = {}
    squares: dict[str, np.ndarray] = {}
    present: dict[str, int] = collections.Counter()
    kept: list[tuple[dict[str, np.ndarray], np.ndarray]] | None = []
    total = examples = size = 0
    for features, labels in dataset.batch(_PARSE_BATCH).as_numpy_iterator():
        chosen = np.asarray(is_known(labels))
        total += len(labels)
        examples += int(chosen.sum())
        features = {name: column[chosen] for name, column in features.items()}
        for name, column in features.items():
            if missing_name(name) in features:
                column = column[features[missing_name(name)][:, 0] == 0]
            present[name] += len(column)
            sums[name] = sums.get(name, 0.0) + _finite_sum(name, column)
            squares[name] = squares.get(name, 0.0) + np.square(column, dtype=np.float64).sum(axis=0)
        size += sum(column.nbytes for column in features.values())
        if size > limit_bytes:
            kept = None
        if kept is not None:
            kept.append((features, labels[chosen]))
    if not examples:
        return Split(known, None, 0, total, {}, {})
    counts = {name: max(1, present[name]) for name in sums}
    means = {name: value / counts[name] for name, value in sums.items()}
    # Rounding can take the variance of a constant just below zero.
    variances = {
        name: np.maximum(value / counts[name] - means[name] ** 2, 0.0)
        for name, value in squares.items()
    }
    return Split(known, _join(kept), examples, total - examples, means, variances)


def make_batches(
    split: Split, batch_size: int, seed: int | None = None, passes: range = range(1)
) -> tf.data.Dataset:
    """Makes batches of some passes; the last one of each pass may be smaller.

    Args:
        split: What `scan` returned.
        batch_size: Examples in a batch; all of them where it is larger.
        seed: Shuffles. A pass has the order that the seed and its number give,
            whatever came before it, so that training can begin anew in the
            middle. None keeps the order. In memory every order is possible, a
            streamed split is shuffled within 64 MiB.
        passes: Numbers of the passes, one after another.

    Returns:
        `({feature: [batch, width] float32}, labels [batch, …])`, of known
        cardinality.
    """
    numbers = untuned(tf.data.Dataset.range(passes.start, passes.stop))
    length = len(passes) * math.ceil(split.examples / batch_size)
    known = tf.data.experimental.assert_cardinality(length)
    if split.arrays is None:
        bytes_each = 4 * sum(len(mean) for mean in split.means.values())
        buffer = max(1, SHUFFLE_LIMIT_BYTES // bytes_each)

        @plain
        def stream(number: tf.Tensor) -> tf.data.Dataset:
            examples = split.dataset
            if seed is not None:
                examples = shuffle(examples, buffer, seed, number)
            return examples.batch(batch_size)

        return numbers.flat_map(stream).apply(known).prefetch(tf.data.AUTOTUNE)
    arrays = tf.nest.map_structure(tf.constant, split.arrays)

    @plain
    def order(number: tf.Tensor) -> tf.data.Dataset:
        rows = tf.range(split.examples, dtype=tf.int64)
        if seed is not None:
            rows = tf.random.experimental.stateless_shuffle(rows, tf.stack([seed, number]))
        return tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)

    # Shuffling numbers and gathering rows costs a fraction of moving vectors.
    @plain
    def gather(rows: tf.Tensor) -> Any:
        return tf.nest.map_structure(lambda array: tf.gather(array, rows), arrays)

    return numbers.flat_map(order).map(gather, tf.data.AUTOTUNE).apply(known)


def shuffle(
    examples: tf.data.Dataset, buffer: int, seed: int, number: tf.Tensor
) -> tf.data.Dataset:
    """Shuffles one pass, in a function that `flat_map` calls with the pass's number.

    Args:
        examples: The pass.
        buffer: How many examples to shuffle among.
        seed: Of the training.
        number: `[]` int64, the pass's.

    Returns:
        The examples in an order that `seed` and `number` give and nothing else.
    """
    # The seed of the function's graph. TensorFlow takes the process's, and where
    # that is 0 it asks in Python whether `number` is 0, too, which fails.
    tf.compat.v1.set_random_seed(seed + _APART)
    return examples.shuffle(buffer, number, reshuffle_each_iteration=False)


def _finite_sum(name: str, column: np.ndarray) -> np.ndarray:
    total = column.sum(axis=0, dtype=np.float64)
    if not np.isfinite(total).all():
        raise DataError(
            f"The feature vectors of {name!r} hold NaN or infinity, so nothing can be trained on "
            "them. The backbone makes them: check its weights and its input range."
        )
    return total


def _join(
    parts: list[tuple[dict[str, np.ndarray], np.ndarray]] | None,
) -> tuple[dict[str, np.ndarray], np.ndarray] | None:
    if parts is None:
        return None
    names = parts[0][0]
    features = {name: np.concatenate([part[name] for part, _ in parts]) for name in names}
    return features, np.concatenate([labels for _, labels in parts])
