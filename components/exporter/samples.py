"""Some examples of a split, the same ones each time, wherever they lie in it."""

import itertools
import posixpath
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

_SEED = 0
_BATCH = 32


def sample_examples(folder: str, count: int) -> Iterator[tf.Tensor]:
    """Draws examples of a split without replacement; reads it twice.

    Args:
        folder: Of the split's TFRecord files, compressed where a name ends in .gz.
        count: How many; all where there are no more.

    Yields:
        Batches of serialized examples, `[batch]` string, in the files' order.
    """
    total = sum(1 for _ in _records(folder))
    chosen = np.zeros(total, bool)
    chosen[np.random.default_rng(_SEED).permutation(total)[:count]] = True
    picked = (record for record, wanted in zip(_records(folder), chosen, strict=True) if wanted)
    while batch := list(itertools.islice(picked, _BATCH)):
        yield tf.stack(batch)


def _records(folder: str) -> Iterator[tf.Tensor]:
    for path in sorted(tf.io.gfile.glob(posixpath.join(folder, "*"))):
        yield from tf.data.TFRecordDataset(path, "GZIP" if path.endswith(".gz") else "")
