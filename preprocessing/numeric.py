"""Numbers for the head: standardised, or as buckets of equal share, in the graph."""

import tensorflow as tf
import tensorflow_transform as tft

from preprocessing.config import NumericFeature
from preprocessing.inputs import ImageInput

MISSING = float("nan")

# Smaller deviations, in shares of the mean, are float32's rounding errors.
_RESOLUTION = 1e-6


def add_number(
    name: str, raw: tf.Tensor, feature: NumericFeature, wanted: ImageInput | None
) -> dict[str, tf.Tensor]:
    """Adds a number's part of the transform graph; see kinds.py.

    Infinite values count as missing. A column that is constant, or has no value
    in training, becomes zeros, or always the same bucket.

    Returns:
        `[batch, 1]` float32 with mean 0 and variance 1 over the training
        examples that have a value, or `[batch, buckets]` with a single 1; of
        few distinct values, some buckets stay empty.
    """
    finite = tf.math.is_finite(raw)
    present = tf.boolean_mask(raw, finite)
    mean = tft.mean(present)
    filled = tf.where(finite, raw, mean if feature.default is None else feature.default)
    if feature.buckets is None:
        deviation = tf.sqrt(tft.var(present))
        varies = deviation > _RESOLUTION * tf.abs(mean)
        scores = tf.where(varies, tf.math.divide_no_nan(filled - mean, deviation), 0.0)
        return {name: scores[:, tf.newaxis]}
    boundaries = tft.quantiles(present, feature.buckets, epsilon=0.01)
    buckets = tft.apply_buckets(filled, boundaries)
    return {name: tf.one_hot(buckets, feature.buckets)}


def is_missing(raw: tf.Tensor) -> tf.Tensor:
    """Tells which of `[batch]` numbers are missing."""
    return ~tf.math.is_finite(raw)
