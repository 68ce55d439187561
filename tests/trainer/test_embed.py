"""What runs inside a shard: every column by name, in order, whatever the batch."""

import numpy as np
import tensorflow as tf

from trainer.embed import BATCH_EXAMPLES, EmbedConfig, make_embed_fn


def serialize(image, label):
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in (("image", image), ("label", label))
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def embed(transform_graph, backbone, examples):
    config = EmbedConfig(backbones={"image": backbone}, label="label").model_dump_json()
    dataset = tf.data.Dataset.from_tensor_slices(tf.constant(examples, tf.string))
    return list(make_embed_fn(transform_graph, config)(dataset))


def test_a_vector_is_the_backbones_and_a_label_its_index(transform_graph, mean_colour, picture):
    examples = [
        serialize(picture([255, 0, 0]), b"red"),
        serialize(picture([0, 0, 255]), b"blue"),
        serialize(picture([0, 255, 0]), b"green"),
    ]
    (batch,) = embed(transform_graph, mean_colour, examples)
    np.testing.assert_allclose(batch["image"], [[1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=1e-6)
    # By frequency: red was seen more often than blue; green never.
    assert batch["label"].tolist() == [0, 1, -1]


def test_batches_are_bounded_and_keep_the_order(transform_graph, mean_colour, picture):
    count = 2 * BATCH_EXAMPLES + 5
    examples = [serialize(picture([number, 0, 0]), b"red") for number in range(count)]
    batches = embed(transform_graph, mean_colour, examples)
    assert [len(batch["label"]) for batch in batches] == [BATCH_EXAMPLES, BATCH_EXAMPLES, 5]
    reds = np.concatenate([batch["image"][:, 0] for batch in batches])
    np.testing.assert_allclose(reds * 255, np.arange(count), atol=1e-3)


def test_no_example_gives_no_batch(transform_graph, mean_colour):
    assert embed(transform_graph, mean_colour, []) == []
