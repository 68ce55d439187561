"""What runs inside a shard: every column by name, in order, whatever the batch."""

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.config import ImageFeature, LabelConfig
from trainer.config import AugmentConfig
from trainer.embed import BATCH_EXAMPLES, make_embed_fn
from trainer.model_config import EmbedConfig


def serialize(image, label):
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in (("image", image), ("label", label))
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture
def make(transform_graph, mean_colour):
    """Makes an embedding of pictures."""

    def make(backbone=mean_colour, vectors="float32", **how):
        config = EmbedConfig(
            features={"image": ImageFeature(backbone="hub:any", vectors=vectors)},
            backbones={"image": backbone},
            label=LabelConfig(),
            **how,
        )
        return make_embed_fn(transform_graph, config.model_dump_json())

    return make


def embed(embedding, examples, views=0, wanted=None):
    """Gives the vectors of examples and their views, `[examples, views + 1, 3]`."""
    slots = np.arange(len(examples) * (views + 1)).reshape(-1, views + 1)
    if wanted is not None:
        slots = np.where(np.isin(slots, wanted), slots, -1)
    dataset = tf.data.Dataset.from_tensor_slices((tf.constant(examples, tf.string), slots))
    vectors = np.full([slots.size, 3], np.nan, np.float32)
    for batch in embedding.embed("image", dataset):
        assert len(batch.slots) <= BATCH_EXAMPLES
        assert not batch.cut.any()
        vectors[batch.slots] = batch.vectors
    return vectors.reshape(*slots.shape, 3)


def test_a_vector_is_the_backbones_and_a_label_its_index(make, picture):
    colours = ([255, 0, 0], [0, 0, 255], [0, 255, 0])
    pictures = [picture(rgb) for rgb in colours]
    examples = [serialize(*one) for one in zip(pictures, [b"red", b"blue", b"green"], strict=True)]
    vectors = embed(make(), examples)[:, 0]
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=1e-6)
    # By frequency: red was seen more often than blue; green never.
    scanned = make().scan(tf.constant(examples))
    assert scanned.stored["label"].tolist() == [0, 1, -1]
    assert scanned.raw["image"].tolist() == pictures


def test_what_is_cheap_needs_no_backbone(make, mean_colour):
    nowhere = mean_colour.model_copy(update={"path": "nowhere"})
    scanned = make(nowhere).scan(tf.constant([serialize(b"no picture", b"red")]))
    assert scanned.stored["label"].tolist() == [0]


def test_vectors_come_with_the_slots_that_were_asked_for(make, picture):
    count = 2 * BATCH_EXAMPLES + 5
    examples = [serialize(picture([number, 0, 0]), b"red") for number in range(count)]
    reds = embed(make(), examples)[:, 0, 0]
    np.testing.assert_allclose(reds * 255, np.arange(count), atol=1e-3)
    some = embed(make(), examples, wanted=[3, 50])[:, 0, 0]
    assert np.flatnonzero(~np.isnan(some)).tolist() == [3, 50]
    np.testing.assert_array_equal(some[[3, 50]], reds[[3, 50]])


def test_no_example_gives_no_batch(make):
    assert embed(make(), []).size == 0


def test_augmented_views_are_the_same_ones_in_every_run(make, picture):
    labels = [b"red", b"blue", b"red"]
    examples = [
        serialize(picture([100 + number, 120, 140]), label) for number, label in enumerate(labels)
    ]
    how = {"augment": AugmentConfig(colour=0.3), "seed": 7}
    plain = embed(make(), examples)
    vectors = embed(make(**how), examples, views=2)
    np.testing.assert_array_equal(vectors[:, 0], plain[:, 0])
    assert len(np.unique(vectors.reshape(9, 3), axis=0)) == 9
    # By content, not by place, and whichever are computed with it.
    np.testing.assert_array_equal(embed(make(**how), examples[::-1], views=2)[::-1], vectors)
    one = embed(make(**how), examples, views=2, wanted=[4])
    np.testing.assert_array_equal(one[1, 1], vectors[1, 1])
    assert np.isnan(one[1, 2]).all()
    other = embed(make(**(how | {"seed": 8})), examples, views=2)
    assert not np.array_equal(other, vectors)
    seeds = make(**how).seeds(tf.constant(examples), 1)
    assert not np.array_equal(seeds, make(**(how | {"seed": 8})).seeds(tf.constant(examples), 1))


def test_what_vectors_depend_on_is_neither_a_name_nor_a_place(make, mean_colour):
    identity = make().columns["image"].identity
    moved = mean_colour.model_copy(update={"path": "elsewhere", "handle": "hub:mirror"})
    assert make(moved).columns["image"].identity == identity
    changed = mean_colour.model_copy(update={"digest": "sha256:" + "1" * 64})
    assert make(changed).columns["image"].identity != identity
    augmented = make(augment=AugmentConfig(colour=0.3)).columns["image"]
    assert augmented.identity == identity
    assert augmented.views != make().columns["image"].views


def test_vectors_that_are_kept_as_float16_are_rounded_before_and_kept_apart(make, picture):
    examples = [serialize(picture([number, 0, 77]), b"red") for number in range(40)]
    whole, half = make(), make(vectors="float16")
    vectors = embed(whole, examples)
    rounded = embed(half, examples)
    np.testing.assert_array_equal(rounded, vectors.astype(np.float16).astype(np.float32))
    assert (rounded != vectors).any()
    assert (half.columns["image"].dtype, whole.columns["image"].dtype) == ("float16", "float32")
    assert half.columns["image"].identity != whole.columns["image"].identity
