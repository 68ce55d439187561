"""Raw examples to batches of pictures and tokens, in `tf.data`.

Only encoded bytes are ever held, and no more of them than shuffling may; pixels
exist for the batches under way. Everything random follows from the seed, the
number of the epoch and an example's own content.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from preprocessing.errors import DataError
from preprocessing.kinds import raw_columns
from preprocessing.streams import plain
from trainer.augmentation import augment_pictures, content_seeds
from trainer.config import AugmentConfig
from trainer.datasets import SHUFFLE_LIMIT_BYTES
from trainer.features import FeatureExtractor
from trainer.mixing import mix, partners
from trainer.records import read_records

_LOOK_BATCH = 256
_BATCHES_AT_A_TIME = 4
# Keeps the seeds of one seed's epochs apart from those of the next seed's.
_APART = 1_000_003


class Examples(NamedTuple):
    """A split of raw examples after one look at it.

    Attributes:
        serialized: Its tf.Examples with a known label.
        size: How many examples.
        bytes_each: Their mean size.
    """

    serialized: tf.data.Dataset
    size: int
    bytes_each: int


def find_examples(
    files: str | Sequence[str],
    extractor: FeatureExtractor,
    is_known: Callable[[tf.Tensor], tf.Tensor],
) -> Examples:
    """Passes over the labels of a split once.

    Args:
        files: Patterns of TFRecords of raw tf.Examples.
        extractor: Its transform graph reads the labels.
        is_known: See `Task`; other examples are left out.

    Returns:
        What was found.

    Raises:
        DataError: If no file matches or no label is known.
    """
    label = extractor.config.label.name
    column = {label: tf.io.FixedLenFeature([], tf.string)}

    @plain
    def known(serialized: tf.Tensor) -> tf.Tensor:
        labels = extractor.preprocess(tf.io.parse_example(serialized, column))[label]
        return tf.boolean_mask(serialized, is_known(labels))

    batches = read_records(files, "raw examples").batch(_LOOK_BATCH).map(known)
    zero = tf.constant(0, tf.int64)

    @plain
    def add(sums: tuple[tf.Tensor, tf.Tensor], batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        sizes = tf.cast(tf.strings.length(batch), tf.int64)
        return sums[0] + tf.size(batch, tf.int64), sums[1] + tf.reduce_sum(sizes)

    count, size = (int(one) for one in batches.reduce((zero, zero), add))
    if not count:
        raise DataError(f"No example with a label that training knows is in {files}.")
    return Examples(batches.unbatch(), count, max(1, size // count))


def make_training_batches(
    examples: Examples,
    extractor: FeatureExtractor,
    batch_size: int,
    epochs: range,
    seed: int,
    augment: AugmentConfig | None,
) -> tf.data.Dataset:
    """Shuffles, augments and batches every epoch in its own way.

    Args:
        examples: What `find_examples` gave.
        extractor: Transform graph and tokenizers.
        batch_size: Examples in a batch; the last of an epoch may have fewer.
        epochs: Their numbers; an epoch comes out the same whatever came before.
        seed: The run's.
        augment: How pictures change; None leaves them.

    Returns:
        All epochs, one after another: `(prepared inputs, labels)`, and with mixup or cutmix
        `(…, …, the partners' labels, own shares [batch] float32)`.
    """
    buffer = min(examples.size, max(1, SHUFFLE_LIMIT_BYTES // examples.bytes_each))
    parse = _parser(extractor)
    pictures = extractor.pictures

    def one_epoch(epoch: int) -> tf.data.Dataset:
        mixed = seed + _APART * epoch
        order = examples.serialized.shuffle(buffer, mixed, reshuffle_each_iteration=False)
        return order.batch(batch_size).map(plain(lambda batch: (batch, epoch)))

    def prepare(serialized: tf.Tensor, epoch: tf.Tensor) -> tuple:
        inputs, labels = parse(serialized)
        if augment is None or not pictures:
            return extractor.prepare(inputs), labels
        seeds = content_seeds(serialized, seed, epoch)
        inputs |= augment_pictures(inputs, seeds, augment, pictures)
        if not (augment.mixup or augment.cutmix):
            return extractor.prepare(inputs), labels
        mixed, shares = mix({name: inputs[name] for name in pictures}, seeds, augment)
        return extractor.prepare(inputs | mixed), labels, partners(labels), shares

    # Not by flat_map over their numbers: a seed that is a tensor is refused beside a global seed 0.
    batches = functools.reduce(tf.data.Dataset.concatenate, map(one_epoch, epochs))
    return _prepared(batches, prepare, len(epochs) * math.ceil(examples.size / batch_size))


def make_eval_batches(
    examples: Examples, extractor: FeatureExtractor, batch_size: int
) -> tf.data.Dataset:
    """Batches of one pass, `(prepared inputs, labels)`, in order and unchanged."""
    parse = _parser(extractor)

    def prepare(serialized: tf.Tensor) -> tuple:
        inputs, labels = parse(serialized)
        return extractor.prepare(inputs), labels

    batches = examples.serialized.batch(batch_size)
    return _prepared(batches, prepare, math.ceil(examples.size / batch_size))


def _prepared(batches: tf.data.Dataset, prepare: Callable, length: int) -> tf.data.Dataset:
    """Runs `prepare` ahead of the backbone; a few batches at a time bound the memory."""
    prepared = batches.map(plain(prepare), _BATCHES_AT_A_TIME, deterministic=True)
    return prepared.apply(tf.data.experimental.assert_cardinality(length)).prefetch(1)


def _parser(extractor: FeatureExtractor) -> Callable[[tf.Tensor], tuple[dict[str, Any], tf.Tensor]]:
    """From serialized examples to what Transform makes of features and label."""
    config = extractor.config
    label = config.label.name
    columns = {**raw_columns(config.features), label: tf.io.FixedLenFeature([], tf.string)}

    def parse(serialized: tf.Tensor) -> tuple[dict[str, Any], tf.Tensor]:
        inputs = extractor.preprocess(tf.io.parse_example(serialized, columns))
        labels = inputs.pop(label)
        return inputs, labels

    return parse
