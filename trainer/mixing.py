"""Mixup and CutMix: pictures of two examples in one, and a loss that counts both labels.

Mixup blends the two (Zhang et al. 2018, https://arxiv.org/abs/1710.09412),
CutMix puts a rectangle of the one into the other (Yun et al. 2019,
https://arxiv.org/abs/1905.04899). With both, each example gets one by chance.
"""

from collections.abc import Mapping

import tensorflow as tf

from trainer.config import AugmentConfig

# Told apart from the seeds that pictures are augmented with.
_FOLD = 1


def mix(
    pictures: Mapping[str, tf.Tensor], seeds: tf.Tensor, config: AugmentConfig
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Mixes each example with the one before it in the batch.

    Args:
        pictures: For each feature `[batch, height, width, 3]` float32.
        seeds: `[batch, 2]` int64, see `content_seeds`.
        config: Alpha of both; at least one is not zero.

    Returns:
        The pictures, and `[batch]` float32: how much of each example is its own.
        The rest is that of `partners`.
    """
    numbers = tf.map_fn(
        lambda seed: _numbers(seed, config),
        seeds,
        fn_output_signature=tf.TensorSpec([5], tf.float32),
    )
    blend, cut, chance, *centre = tf.unstack(numbers, axis=1)
    blends = chance < 0.5 if config.mixup and config.cutmix else tf.fill(tf.shape(chance), True)
    if not config.mixup:
        blends = tf.logical_not(blends)
    box = _boxes(cut, centre)
    # The rectangle is cut off at the edges, so its true area decides.
    share = tf.where(blends, blend, 1 - (box[2] - box[0]) * (box[3] - box[1]))
    mixed = {}
    for name, own in pictures.items():
        mask = tf.where(
            blends[:, tf.newaxis, tf.newaxis], blend[:, tf.newaxis, tf.newaxis], _outside(box, own)
        )[..., tf.newaxis]
        mixed[name] = mask * own + (1 - mask) * partners(own)
    return mixed, share


def partners(values: tf.Tensor) -> tf.Tensor:
    """Gives for each example of a batch the one that it is mixed with."""
    return tf.roll(values, 1, axis=0)


def _numbers(seed: tf.Tensor, config: AugmentConfig) -> tf.Tensor:
    """Shares for both ways, then three even ones: which way, and the rectangle's centre."""
    seed = tf.random.experimental.stateless_fold_in(seed, _FOLD)
    shares = [
        _beta(tf.random.experimental.stateless_fold_in(seed, index), alpha)
        for index, alpha in enumerate((config.mixup, config.cutmix))
    ]
    return tf.concat([shares, tf.random.stateless_uniform([3], seed)], axis=0)


def _beta(seed: tf.Tensor, alpha: float) -> tf.Tensor:
    # Two gammas make a beta; an alpha that is off gives an example to itself.
    if not alpha:
        return tf.constant(1.0)
    one, other = tf.unstack(tf.random.stateless_gamma([2], seed, alpha))
    return tf.math.divide_no_nan(one, one + other)


def _boxes(share: tf.Tensor, centre: list[tf.Tensor]) -> list[tf.Tensor]:
    """Top, left, bottom, right as shares, whole pixels not minded."""
    half = tf.sqrt(1 - share) / 2
    starts = [tf.maximum(one - half, 0) for one in centre]
    return starts + [tf.minimum(one + half, 1) for one in centre]


def _outside(box: list[tf.Tensor], pictures: tf.Tensor) -> tf.Tensor:
    """`[batch, height, width]` float32, 0 in the rectangle and 1 around it."""
    rows, columns = ((tf.range(size) + 0.5) / size for size in map(float, pictures.shape[1:3]))
    top, left, bottom, right = (side[:, tf.newaxis] for side in box)
    inside_rows = (rows >= top) & (rows < bottom)
    inside_columns = (columns >= left) & (columns < right)
    inside = inside_rows[:, :, tf.newaxis] & inside_columns[:, tf.newaxis, :]
    return 1 - tf.cast(inside, tf.float32)
