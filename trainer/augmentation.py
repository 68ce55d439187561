"""Random changes of pictures, the same for the same seed.

They take what Transform gives, `[batch, height, width, 3]` in a backbone's own
range, and run in `tf.data`. A new change is a few numbers more in `_NUMBERS`
and a function here.
"""

from collections.abc import Mapping

import tensorflow as tf

from preprocessing.inputs import ImageInput
from trainer.config import AugmentConfig

# Random numbers for a picture: flip, area, aspect, top, left, brightness, contrast, saturation.
_NUMBERS = 8
# How far the sides of a crop may be from the picture's own shape.
_ASPECT = 4 / 3
# What a pixel's red, green and blue contribute to its lightness (ITU-R 601).
_GREY = (0.299, 0.587, 0.114)


def content_seeds(content: tf.Tensor, seed: int, view: tf.Tensor | int) -> tf.Tensor:
    """Makes one seed an example, whatever its place among the others.

    Args:
        content: `[batch]` string, such as serialized examples.
        seed: The run's.
        view: Number of the epoch or the view; each has seeds of its own.

    Returns:
        `[batch, 2]` int64.
    """
    hashes = tf.strings.to_hash_bucket_strong(content, 2**62, [seed, 0])
    return tf.stack([hashes, tf.fill(tf.shape(hashes), tf.cast(view, tf.int64))], axis=1)


def augment_pictures(
    inputs: Mapping[str, tf.Tensor],
    seeds: tf.Tensor,
    config: AugmentConfig,
    pictures: Mapping[str, ImageInput],
) -> dict[str, tf.Tensor]:
    """Changes every picture of an example; all of them in the same way.

    Args:
        inputs: Outputs of Transform.
        seeds: `[batch, 2]` int64.
        config: How far the changes may go.
        pictures: The features that are pictures.

    Returns:
        The pictures alone.
    """
    return {
        name: augment(inputs[name], seeds, config, wanted.input_range)
        for name, wanted in pictures.items()
    }


def augment(
    pictures: tf.Tensor,
    seeds: tf.Tensor,
    config: AugmentConfig,
    input_range: tuple[float, float],
) -> tf.Tensor:
    """Mirrors, crops and colours each picture by its own seed.

    The crop is "random resized crop" of Szegedy et al. 2015
    (https://arxiv.org/abs/1409.4842), from `config.crop` of the area upwards.

    Args:
        pictures: `[batch, height, width, 3]` float32 within `input_range`.
        seeds: `[batch, 2]` int64.
        config: How far the changes may go.
        input_range: Black and white.

    Returns:
        The same shape and range.
    """
    numbers = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([_NUMBERS], seed),
        seeds,
        fn_output_signature=tf.TensorSpec([_NUMBERS], tf.float32),
    )
    changed = pictures
    if config.flip or config.crop < 1:
        changed = _cut(pictures, _boxes(numbers, config))
    if config.colour:
        changed = _recolour(changed, numbers[:, 5:], config.colour, input_range)
    return changed


def _boxes(numbers: tf.Tensor, config: AugmentConfig) -> tf.Tensor:
    """Gives `[batch, 4]`: top, left, bottom, right as shares; left > right mirrors."""
    mirror, area, shape, top, left = tf.unstack(numbers[:, :5], axis=1)
    area = 1 - area * (1 - config.crop)
    root = tf.pow(_ASPECT if config.crop < 1 else 1.0, shape - 0.5)
    height, width = tf.minimum(tf.sqrt(area) / root, 1), tf.minimum(tf.sqrt(area) * root, 1)
    top, left = top * (1 - height), left * (1 - width)
    right = left + width
    if config.flip:
        left, right = tf.where(mirror < 0.5, right, left), tf.where(mirror < 0.5, left, right)
    return tf.stack([top, left, top + height, right], axis=1)


def _cut(pictures: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    rows = tf.range(tf.shape(pictures)[0])
    cut = tf.image.crop_and_resize(pictures, boxes, rows, pictures.shape[1:3])
    return tf.ensure_shape(cut, pictures.shape)


def _recolour(
    pictures: tf.Tensor, numbers: tf.Tensor, most: float, input_range: tuple[float, float]
) -> tf.Tensor:
    """Shifts brightness by up to `most` of the range, scales contrast and saturation by 1 ± it."""
    low, high = input_range
    changes = (2 * numbers - 1) * most
    brightness, contrast, saturation = tf.unstack(changes[:, tf.newaxis, tf.newaxis], axis=-1)
    flow = (pictures - low) / (high - low)
    grey = tf.reduce_sum(flow * tf.constant(_GREY), axis=-1, keepdims=True)
    flow = grey + (flow - grey) * (1 + saturation[..., tf.newaxis])
    mean = tf.reduce_mean(flow, axis=[1, 2, 3], keepdims=True)
    flow = mean + (flow - mean) * (1 + contrast[..., tf.newaxis]) + brightness[..., tf.newaxis]
    return tf.clip_by_value(flow, 0.0, 1.0) * (high - low) + low
