"""What the head gets for each feature, and how it lies on disk between components.

Vectors and numbers are stored as they are, vectors as float16 where the config
says so, a category as its id alone.
"""

from collections.abc import Mapping
from typing import Literal

import tensorflow as tf
import tensorflow_transform as tft

from preprocessing.categorical import vocabulary_name
from preprocessing.config import (
    CategoricalFeature,
    EmbeddedFeature,
    Feature,
    NumericFeature,
    Record,
    Vectors,
    missing_name,
)
from trainer.backbones.record import Backbone


class HeadInput(Record):
    """One input of the head, `[batch, width]` float32.

    Attributes:
        kind: A backbone's feature vector, a standardised number or a one-hot
            bucket, a one-hot category, or the 0 or 1 that tells that a
            feature's value is missing.
        width: Its length.
        stored: How its numbers lie on disk.
    """

    kind: Literal["vector", "number", "category", "missing"]
    width: int
    stored: Vectors = "float32"


def head_inputs(
    features: Mapping[str, Feature],
    backbones: Mapping[str, Backbone],
    transform_output: tft.TFTransformOutput,
) -> dict[str, HeadInput]:
    """Says what the head gets.

    Args:
        features: By name.
        backbones: Of the features that have one.
        transform_output: Knows the sizes of the vocabularies.

    Returns:
        The inputs by name, sorted; an indicator is called `<feature>_missing`.
    """
    inputs = {}
    for name, feature in features.items():
        if isinstance(feature, EmbeddedFeature):
            width, stored = backbones[name].feature_width, feature.vectors
            inputs[name] = HeadInput(kind="vector", width=width, stored=stored)
        elif isinstance(feature, NumericFeature):
            inputs[name] = HeadInput(kind="number", width=feature.buckets or 1)
        elif isinstance(feature, CategoricalFeature):
            words = transform_output.vocabulary_size_by_name(vocabulary_name(name))
            inputs[name] = HeadInput(kind="category", width=words + feature.oov_buckets)
        if feature.missing == "default":
            inputs[missing_name(name)] = HeadInput(kind="missing", width=1)
    return dict(sorted(inputs.items()))


def stored_columns(inputs: Mapping[str, HeadInput]) -> dict[str, tf.io.FixedLenFeature]:
    """Says how the inputs lie in the embeddings' tf.Examples."""
    return {name: _column(one) for name, one in inputs.items()}


def _column(one: HeadInput) -> tf.io.FixedLenFeature:
    if one.kind == "category":
        return tf.io.FixedLenFeature([], tf.int64)
    if one.stored == "float16":
        # A tf.Example's lists have no such type.
        return tf.io.FixedLenFeature([], tf.string)
    return tf.io.FixedLenFeature([one.width], tf.float32)


def from_stored(
    parsed: Mapping[str, tf.Tensor], inputs: Mapping[str, HeadInput]
) -> dict[str, tf.Tensor]:
    """Reads what `stored_columns` describes.

    Args:
        parsed: A batch of it; other columns are left out.
        inputs: What the head gets.

    Returns:
        `[batch, width]` float32 for each input.
    """
    read = dict(parsed)
    for name, one in inputs.items():
        if one.stored == "float16":
            halves = tf.io.decode_raw(parsed[name], tf.float16)
            read[name] = tf.ensure_shape(tf.cast(halves, tf.float32), [None, one.width])
    return to_head(read, inputs)


def as_float16(vector: tf.Tensor) -> tf.Tensor:
    """Rounds to the eleven bits that float16 has.

    In float32, for what TensorFlow.js and TensorFlow Lite run has no other
    floats; by Dekker's splitting (https://doi.org/10.1007/BF01397083), which
    passes gradients on as they are. Numbers below 2^-14 keep their eleven bits,
    of which float16 drops some: 3e-8 at most.

    Args:
        vector: float32, of any shape.

    Returns:
        The same shape and type.
    """
    high = vector * (2.0**13 + 1)
    return high - (high - vector)


def to_head(computed: Mapping[str, tf.Tensor], inputs: Mapping[str, HeadInput]) -> dict:
    """Makes the head's inputs of vectors, numbers and ids.

    Args:
        computed: `[batch, width]` float32, or `[batch]` int64 for a category.
        inputs: What the head gets.

    Returns:
        `[batch, width]` float32 for each input.
    """
    # Whole numbers first: TensorFlow.js's WebAssembly (4.22) writes the bits of an
    # integer 1 into a one-hot vector of floats.
    return {
        name: tf.cast(tf.one_hot(computed[name], one.width, dtype=tf.int32), tf.float32)
        if one.kind == "category"
        else computed[name]
        for name, one in inputs.items()
    }
