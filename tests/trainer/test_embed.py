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
def embed(transform_graph, mean_colour):
    def run(examples, views=0, **how):
        config = EmbedConfig(
            features={"image": ImageFeature(backbone="hub:any")},
            backbones={"image": mean_colour},
            label=LabelConfig(),
            **how,
        )
        dataset = tf.data.Dataset.from_tensor_slices(tf.constant(examples, tf.string))
        return list(make_embed_fn(transform_graph, config.model_dump_json())(dataset, views))

    return run


def test_a_vector_is_the_backbones_and_a_label_its_index(embed, picture):
    examples = [
        serialize(picture([255, 0, 0]), b"red"),
        serialize(picture([0, 0, 255]), b"blue"),
        serialize(picture([0, 255, 0]), b"green"),
    ]
    (batch,) = embed(examples)
    np.testing.assert_allclose(batch["image"], [[1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=1e-6)
    # By frequency: red was seen more often than blue; green never.
    assert batch["label"].tolist() == [0, 1, -1]


def test_batches_are_bounded_and_keep_the_order(embed, picture):
    count = 2 * BATCH_EXAMPLES + 5
    batches = embed([serialize(picture([number, 0, 0]), b"red") for number in range(count)])
    assert [len(batch["label"]) for batch in batches] == [BATCH_EXAMPLES, BATCH_EXAMPLES, 5]
    reds = np.concatenate([batch["image"][:, 0] for batch in batches])
    np.testing.assert_allclose(reds * 255, np.arange(count), atol=1e-3)


def test_no_example_gives_no_batch(embed):
    assert embed([]) == []


def test_augmented_views_follow_on_their_example_the_same_ones_in_every_run(embed, picture):
    labels = [b"red", b"blue", b"red"]
    examples = [
        serialize(picture([100 + number, 120, 140]), label) for number, label in enumerate(labels)
    ]
    how = {"augment": AugmentConfig(colour=0.3), "seed": 7}
    (plain,) = embed(examples)
    (batch,) = embed(examples, views=2, **how)
    assert batch["label"].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0]
    vectors = batch["image"].reshape(3, 3, 3)
    np.testing.assert_array_equal(vectors[:, 0], plain["image"])
    assert len(np.unique(batch["image"], axis=0)) == 9
    # By content, not by place.
    (reversed_batch,) = embed(examples[::-1], views=2, **how)
    np.testing.assert_array_equal(reversed_batch["image"].reshape(3, 3, 3), vectors[::-1])
    (other,) = embed(examples, views=2, **(how | {"seed": 8}))
    assert not np.array_equal(other["image"], batch["image"])
