"""Which module makes which kind of feature's part of the graph.

A new kind is a record in config.py, one module with these functions, and one
line here.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from preprocessing import categorical, image, numeric, text
from preprocessing.config import Feature, Record, missing_name
from preprocessing.inputs import ImageInput


class Kind(NamedTuple):
    """One kind of feature.

    Attributes:
        dtype: Of the raw column.
        missing: What stands for no value in the raw column.
        add: From name, raw column `[batch]`, feature and the picture's size and
            range to outputs by name.
        is_missing: From the raw column to `[batch]` bool.
    """

    dtype: tf.DType
    missing: Any
    add: Callable[[str, tf.Tensor, Any, ImageInput | None], dict[str, tf.Tensor]]
    is_missing: Callable[[tf.Tensor], tf.Tensor]


KINDS: Mapping[str, Kind] = {
    "image": Kind(tf.string, image.MISSING, image.add_image, image.is_missing),
    "text": Kind(tf.string, text.MISSING, text.add_text, text.is_missing),
    "numeric": Kind(tf.float32, numeric.MISSING, numeric.add_number, numeric.is_missing),
    "categorical": Kind(
        tf.string, categorical.MISSING, categorical.add_category, categorical.is_missing
    ),
}


def raw_columns(features: Mapping[str, Feature]) -> dict[str, tf.io.FixedLenFeature]:
    """Says how tf.Examples hold the features; an absent column counts as missing.

    Args:
        features: By name.

    Returns:
        What `tf.io.parse_example` needs, by name.
    """
    return {
        name: tf.io.FixedLenFeature(
            [], KINDS[feature.kind].dtype, default_value=KINDS[feature.kind].missing
        )
        for name, feature in features.items()
    }


def add_feature(
    name: str, raw: tf.Tensor, feature: Record, wanted: ImageInput | None
) -> dict[str, tf.Tensor]:
    """Adds one feature's part of the graph, with its indicator where it may be missing.

    Args:
        name: The feature.
        raw: Its column, `[batch]`.
        feature: Its record.
        wanted: Pictures: size and range.

    Returns:
        Outputs by name; the indicator is `[batch, 1]` float32, 1 where missing.
    """
    kind = KINDS[feature.kind]  # type: ignore[attr-defined]
    outputs = kind.add(name, raw, feature, wanted)
    if feature.missing == "default":  # type: ignore[attr-defined]
        indicator = tf.cast(kind.is_missing(raw), tf.float32)
        outputs[missing_name(name)] = indicator[:, tf.newaxis]
    return outputs
