"""What the head gets for each feature, and how it lies on disk between components.

Vectors and numbers are stored as they are, a category as its id alone.
"""

from collections.abc import Mapping
from typing import Literal

import tensorflow as tf
import tensorflow_transform as tft

from preprocessing.categorical import vocabulary_name
from preprocessing.config import (
    CategoricalFeature,
    Feature,
    NumericFeature,
    Record,
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
    """

    kind: Literal["vector", "number", "category", "missing"]
    width: int


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
        if name in backbones:
            inputs[name] = HeadInput(kind="vector", width=backbones[name].feature_width)
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
    return {
        name: tf.io.FixedLenFeature([], tf.int64)
        if one.kind == "category"
        else tf.io.FixedLenFeature([one.width], tf.float32)
        for name, one in inputs.items()
    }


def to_head(stored: Mapping[str, tf.Tensor], inputs: Mapping[str, HeadInput]) -> dict:
    """Makes the head's inputs of what is stored, or of what was computed just now.

    Args:
        stored: `[batch, width]` float32, or `[batch]` int64 for a category.
        inputs: What the head gets.

    Returns:
        `[batch, width]` float32 for each input.
    """
    # Whole numbers first: TensorFlow.js's WebAssembly (4.22) writes the bits of an
    # integer 1 into a one-hot vector of floats.
    return {
        name: tf.cast(tf.one_hot(stored[name], one.width, dtype=tf.int32), tf.float32)
        if one.kind == "category"
        else stored[name]
        for name, one in inputs.items()
    }
