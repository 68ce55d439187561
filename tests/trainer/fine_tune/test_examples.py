"""Raw examples to batches: those that are known, each epoch in its own order, nothing kept."""

import os

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.errors import DataError
from trainer.config import AugmentConfig
from trainer.fine_tune.examples import find_examples, make_eval_batches, make_training_batches
from trainer.tasks.registry import TASKS

IS_KNOWN = TASKS["multiclass"].is_known


@pytest.fixture(scope="module")
def shard(write_examples):
    return write_examples(20, unknown=5)


@pytest.fixture
def examples(shard, extractor):
    return find_examples(shard, extractor, IS_KNOWN)


def epochs(examples, extractor, numbers, seed=0, augment=None):
    batches = make_training_batches(examples, extractor, 6, numbers, seed, augment)
    return [tf.nest.map_structure(lambda one: one.numpy(), batch) for batch in batches]


def assert_equal(one, other):
    tf.nest.map_structure(np.testing.assert_array_equal, one, other)


def test_examples_without_a_known_label_are_left_out(examples, shard):
    assert examples.size == 16
    assert len(list(examples.serialized)) == 16
    assert 0 < examples.bytes_each < os.path.getsize(shard) / 16


def test_eval_batches_are_in_order_and_as_transform_gives_them(examples, extractor):
    batches = list(make_eval_batches(examples, extractor, 10))
    assert [len(labels) for _, labels in batches] == [10, 6]
    columns = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "label")}
    raw = tf.io.parse_example(list(examples.serialized), columns)
    expected = extractor.preprocess(raw)
    pictures = tf.concat([inputs["image"] for inputs, _ in batches], axis=0)
    np.testing.assert_array_equal(pictures, expected["image"])
    labels = tf.concat([labels for _, labels in batches], axis=0)
    np.testing.assert_array_equal(labels, expected["label"])


def test_an_epoch_has_every_example_once_in_an_order_of_its_own(examples, extractor):
    batches = epochs(examples, extractor, range(2))
    assert [len(labels) for _, labels in batches] == [6, 6, 4] * 2
    first, second = (
        np.concatenate([inputs["image"] for inputs, _ in part]).reshape(16, -1)
        for part in (batches[:3], batches[3:])
    )
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.unique(first, axis=0), np.unique(second, axis=0))
    assert len(np.unique(first, axis=0)) == 16


@pytest.mark.slow
@pytest.mark.parametrize("augment", [None, AugmentConfig(), AugmentConfig(mixup=0.2)])
def test_an_epoch_is_the_same_wherever_training_begins(examples, extractor, augment):
    whole = epochs(examples, extractor, range(3), augment=augment)
    assert_equal(epochs(examples, extractor, range(2, 3), augment=augment), whole[6:])
    other = epochs(examples, extractor, range(2, 3), seed=1, augment=augment)
    assert not np.array_equal(other[0][0]["image"], whole[6][0]["image"])


def test_augmentation_changes_pictures_and_leaves_labels(examples, extractor):
    plain = epochs(examples, extractor, range(1))
    changed = epochs(examples, extractor, range(1), augment=AugmentConfig())
    for (inputs, labels), (others, same) in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(labels, same)
        assert not np.array_equal(inputs["image"], others["image"])
        assert 0 <= others["image"].min() <= others["image"].max() <= 1


def test_mixed_batches_bring_the_labels_of_both(examples, extractor):
    for _, labels, partners, shares in epochs(
        examples, extractor, range(1), augment=AugmentConfig(cutmix=1.0)
    ):
        np.testing.assert_array_equal(partners, np.roll(labels, 1))
        assert shares.shape == labels.shape
        assert shares.dtype == np.float32


def test_no_file_is_one_clear_error(extractor, tmp_path):
    with pytest.raises(DataError) as caught:
        find_examples(f"{tmp_path}/Split-train/*", extractor, IS_KNOWN)
    assert str(caught.value) == f"No file with raw examples matches {tmp_path}/Split-train/*."


def test_no_known_label_is_one_clear_error(extractor, write_examples):
    shard = write_examples(3, unknown=1)
    with pytest.raises(DataError) as caught:
        find_examples([shard], extractor, IS_KNOWN)
    assert str(caught.value) == f"No example with a label that training knows is in {[shard]}."
