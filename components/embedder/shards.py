"""One shard of examples to one shard of feature vectors; needs no TFX."""

import posixpath
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

EmbedFn = Callable[[tf.data.Dataset], Iterator[dict[str, np.ndarray]]]


class ShardCount(NamedTuple):
    """What a shard turned out to hold.

    Attributes:
        examples: Examples written.
        marked: By name, in how many of them a boolean column was true.
    """

    examples: int
    marked: dict[str, int]


def read_serialized(path: str) -> tf.data.Dataset:
    """Makes a dataset of the serialized tf.Examples of one TFRecord file.

    Args:
        path: A TFRecord file; gzip when the name ends in .gz.

    Returns:
        A dataset of scalar strings.
    """
    return tf.data.TFRecordDataset(path, compression_type="GZIP" if path.endswith(".gz") else "")


def embed_shard(
    source: str, target: str, embed_fn: EmbedFn, on_batch: Callable[[int], None]
) -> ShardCount:
    """Writes the feature vectors of every example of a shard, in its order.

    The target appears whole or not at all, so a killed worker leaves nothing
    that a reader could mistake for a finished shard.

    Args:
        source: TFRecord file of tf.Examples.
        target: TFRecord file to write, uncompressed.
        embed_fn: From a dataset of serialized examples to batches by name;
            boolean columns are counted, not written.
        on_batch: Told the number of examples in each finished batch.

    Returns:
        What was written and counted.
    """
    unfinished = posixpath.join(posixpath.dirname(target), f".{uuid.uuid4().hex}.unfinished")
    tf.io.gfile.makedirs(posixpath.dirname(target))
    count = 0
    marked: Counter[str] = Counter()
    try:
        with tf.io.TFRecordWriter(unfinished) as writer:
            for batch in embed_fn(read_serialized(source)):
                marks = {name: one for name, one in batch.items() if one.dtype == np.bool_}
                marked.update({name: int(np.sum(one)) for name, one in marks.items()})
                examples = to_examples({n: one for n, one in batch.items() if n not in marks})
                for example in examples:
                    writer.write(example)
                count += len(examples)
                on_batch(len(examples))
        tf.io.gfile.rename(unfinished, target, overwrite=True)
    finally:
        if tf.io.gfile.exists(unfinished):
            tf.io.gfile.remove(unfinished)
    return ShardCount(count, dict(marked))


def to_examples(batch: dict[str, np.ndarray]) -> list[bytes]:
    """Serializes a batch as tf.Examples.

    Args:
        batch: By name, float arrays `[batch, width]` or integers `[batch]`.

    Returns:
        One serialized tf.Example for each row.
    """
    size = len(next(iter(batch.values())))
    return [
        tf.train.Example(
            features=tf.train.Features(
                feature={name: _to_feature(column[row]) for name, column in batch.items()}
            )
        ).SerializeToString()
        for row in range(size)
    ]


def _to_feature(value: np.ndarray) -> tf.train.Feature:
    values = np.atleast_1d(value)
    if np.issubdtype(values.dtype, np.integer):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))
