"""Mixed pictures hold two examples in just the shares that the loss counts."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.augmentation import content_seeds
from trainer.config import AugmentConfig
from trainer.mixing import mix, partners

SIZE = 200
# Each picture is its own number all over.
PICTURES = tf.tile(tf.range(SIZE, dtype=tf.float32)[:, None, None, None], [1, 40, 60, 3])
OTHERS = np.roll(np.arange(SIZE), 1)


def seeds(seed=0):
    return content_seeds(tf.strings.as_string(tf.range(SIZE)), seed, 1)


def mixed(seed=0, **alphas):
    # In a graph, as in tf.data: row by row in Python would be slow.
    run = tf.function(lambda: mix({"photo": PICTURES}, seeds(seed), AugmentConfig(**alphas)))
    pictures, shares = run()
    return pictures["photo"].numpy(), shares.numpy()


def test_mixup_blends_every_pixel_by_the_share():
    pictures, shares = mixed(mixup=0.4)
    expected = shares * np.arange(SIZE) + (1 - shares) * OTHERS
    np.testing.assert_allclose(
        pictures,
        np.broadcast_to(expected[:, None, None, None], PICTURES.shape),
        rtol=1e-4,
        atol=1e-4,
    )
    assert 0 <= shares.min() < 0.1
    assert 0.9 < shares.max() <= 1
    assert abs(shares.mean() - 0.5) < 0.1


def test_cutmix_puts_one_rectangle_of_the_other_whose_area_is_the_share():
    pictures, shares = mixed(cutmix=1.0)
    own = pictures[..., 0] == np.arange(SIZE)[:, None, None]
    other = pictures[..., 0] == OTHERS[:, None, None]
    assert (own ^ other).all()
    # Whole pixels against true areas.
    np.testing.assert_allclose(own.mean(axis=(1, 2)), shares, atol=0.04)
    rows, columns = other.any(axis=2), other.any(axis=1)
    np.testing.assert_array_equal(other, rows[:, :, None] & columns[:, None, :])
    assert 0.5 < shares.mean() < 0.9


def test_with_both_each_example_gets_one_of_them():
    pictures, _ = mixed(mixup=1.0, cutmix=1.0)
    blended = np.ptp(pictures[..., 0], axis=(1, 2)) < 1e-3
    assert 60 < blended.sum() < 150


@pytest.mark.parametrize("alphas", [{"mixup": 0.2}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 1.0}])
def test_the_same_seed_mixes_alike(alphas):
    (one, shares), (same, same_shares) = mixed(**alphas), mixed(**alphas)
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(shares, same_shares)
    assert not np.array_equal(shares, mixed(seed=1, **alphas)[1])


def test_all_pictures_of_an_example_have_one_share():
    given = {"a": PICTURES[:9], "b": PICTURES[:9]}
    pictures, _ = mix(given, seeds()[:9], AugmentConfig(cutmix=1.0))
    np.testing.assert_array_equal(pictures["a"], pictures["b"])


def test_an_example_alone_is_its_own_partner():
    alone, shares = mix({"a": PICTURES[3:4]}, seeds()[:1], AugmentConfig(mixup=0.4))
    np.testing.assert_allclose(alone["a"], PICTURES[3:4], rtol=1e-5)
    assert shares.shape == (1,)
    assert partners(tf.constant([7, 8, 9])).numpy().tolist() == [9, 7, 8]
