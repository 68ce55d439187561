"""Augmented pictures: the same for the same seed, in range, by hand where possible."""

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.inputs import ImageInput
from trainer import augmentation
from trainer.augmentation import augment_pictures, content_seeds
from trainer.config import AugmentConfig

# In a graph, as in tf.data: row by row in Python would be slow.
augment = tf.function(augmentation.augment)

NOTHING = {"flip": False, "crop": 1.0, "colour": 0.0}
RANGES = [(0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)]


def pictures(size=6, height=5, width=7, input_range=(0.0, 1.0), seed=0):
    values = np.random.default_rng(seed).uniform(*input_range, [size, height, width, 3])
    return tf.constant(values, tf.float32)


def seeds(size=6, seed=0, view=1):
    return content_seeds(tf.strings.as_string(tf.range(size)), seed, view)


def config(**changes):
    return AugmentConfig(**(NOTHING | changes))


@pytest.mark.parametrize("input_range", RANGES)
def test_the_same_seed_gives_the_same_pictures_and_another_view_others(input_range):
    given = pictures(input_range=input_range)
    first, same, later, other_run = (
        augment(given, one, AugmentConfig(), input_range).numpy()
        for one in (seeds(), seeds(), seeds(view=2), seeds(seed=1))
    )
    np.testing.assert_array_equal(first, same)
    for other in (later, other_run):
        assert all(not np.array_equal(*pair) for pair in zip(first, other, strict=True))
    low, high = input_range
    assert first.shape == given.shape
    assert low <= first.min() < first.max() <= high


def test_a_picture_comes_out_the_same_wherever_it_stands_in_python_and_in_tf_data():
    given, own = pictures(), seeds()
    expected = augment(given, own, AugmentConfig(), (0.0, 1.0)).numpy()
    order = [3, 1, 5]
    chosen = tf.gather(given, order), tf.gather(own, order)
    alone = augmentation.augment(*chosen, AugmentConfig(), (0.0, 1.0))
    np.testing.assert_allclose(alone, expected[order], atol=1e-6)
    dataset = tf.data.Dataset.from_tensor_slices((given, own)).batch(4)
    dataset = dataset.map(lambda *batch: augmentation.augment(*batch, AugmentConfig(), (0.0, 1.0)))
    np.testing.assert_allclose(np.concatenate(list(dataset)), expected, atol=1e-6)


def test_no_change_is_asked_for_and_none_is_made():
    given = pictures()
    np.testing.assert_array_equal(augment(given, seeds(), config(), (0.0, 1.0)), given)


def test_half_of_the_pictures_are_mirrored_exactly():
    given = pictures(size=200)
    flipped = augment(given, seeds(200), config(flip=True), (0.0, 1.0)).numpy()
    as_is = np.isclose(flipped, given, atol=1e-5).all(axis=(1, 2, 3))
    mirrored = np.isclose(flipped, given[:, :, ::-1], atol=1e-5).all(axis=(1, 2, 3))
    assert (as_is ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


@pytest.mark.parametrize("least", [0.2, 0.6])
def test_a_crop_keeps_at_least_its_share_of_the_picture_and_its_shape(least):
    # Red is a ramp down, green one across: their ranges say how much is left.
    down, across = np.meshgrid(np.linspace(0, 1, 50), np.linspace(0, 1, 80), indexing="ij")
    ramps = np.stack([down, across, down], axis=-1).astype(np.float32)
    given = tf.constant(np.broadcast_to(ramps, [100, *ramps.shape]))
    cut = augment(given, seeds(100), config(crop=least), (0.0, 1.0)).numpy()
    height, width = np.ptp(cut[..., 0], axis=(1, 2)), np.ptp(cut[..., 1], axis=(1, 2))
    area = height * width
    # A narrow one is cut off at the edges, and that takes at most the aspect's root.
    assert least * np.sqrt(3 / 4) <= area.min() < area.max() <= 1 + 1e-5
    assert 3 / 4 - 1e-3 <= (width / height).min() < 1 < (width / height).max() <= 4 / 3 + 1e-3
    assert area.std() > 0.05


def test_a_grey_picture_only_changes_its_brightness_by_up_to_the_share():
    given = tf.fill([300, 4, 4, 3], 0.5)
    changed = augment(given, seeds(300), config(colour=0.2), (0.0, 1.0)).numpy()
    assert np.ptp(changed, axis=(1, 2, 3)).max() < 1e-6
    shifts = changed[:, 0, 0, 0] - 0.5
    assert -0.2 <= shifts.min() < -0.18
    assert 0.18 < shifts.max() <= 0.2


def test_colour_is_the_same_in_every_range():
    base = augment(pictures(), seeds(), config(colour=0.4), (0.0, 1.0)).numpy()
    for low, high in RANGES[1:]:
        given = pictures() * (high - low) + low
        changed = augment(given, seeds(), config(colour=0.4), (low, high)).numpy()
        np.testing.assert_allclose((changed - low) / (high - low), base, atol=1e-5)


def test_pictures_of_one_example_change_alike_and_other_columns_are_left_out():
    given = {"front": pictures(), "back": pictures(), "price": tf.zeros([6, 1])}
    wanted = dict.fromkeys(("front", "back"), ImageInput(height=5, width=7, input_range=(0.0, 1.0)))
    changed = augment_pictures(given, seeds(), AugmentConfig(), wanted)
    assert set(changed) == {"front", "back"}
    np.testing.assert_array_equal(changed["front"], changed["back"])


def test_an_empty_batch_stays_empty():
    given = pictures()[:0]
    assert augment(given, seeds()[:0], AugmentConfig(), (0.0, 1.0)).shape == given.shape
