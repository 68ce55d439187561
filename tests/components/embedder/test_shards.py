"""One shard: every example once, in order, and never half a file."""

import numpy as np
import pytest
import tensorflow as tf

from components.embedder.shards import embed_shard, read_serialized, to_examples


def write_shard(path, count):
    options = "GZIP" if str(path).endswith(".gz") else ""
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for number in range(count):
            writer.write(b"%d" % number)
    return str(path)


def double(serialized):
    """Stands for a backbone: each example is a number, its vector twice that."""
    for batch in serialized.batch(4):
        numbers = tf.strings.to_number(batch, tf.int64).numpy()
        yield {"image": np.stack([numbers * 2.0, numbers * 2.0 + 1], axis=1), "label": numbers}


def read_vectors(path):
    columns = {
        "image": tf.io.FixedLenFeature([2], tf.float32),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    return [tf.io.parse_single_example(one, columns) for one in read_serialized(path)]


@pytest.mark.parametrize("name", ["shard", "shard.gz"])
def test_every_example_gets_its_vector_in_order(tmp_path, name):
    source = write_shard(tmp_path / name, 10)
    target = str(tmp_path / "out" / "shard")
    batches = []
    assert embed_shard(source, target, double, batches.append).examples == 10
    vectors = read_vectors(target)
    assert [int(one["label"]) for one in vectors] == list(range(10))
    np.testing.assert_array_equal(vectors[3]["image"], [6.0, 7.0])
    assert batches == [4, 4, 2]


def test_boolean_columns_are_counted_and_not_written(tmp_path):
    def mark(serialized):
        for batch in double(serialized):
            yield {**batch, "truncated/text": batch["label"] % 3 == 0}

    target = str(tmp_path / "out" / "shard")
    count = embed_shard(write_shard(tmp_path / "shard", 10), target, mark, lambda count: None)
    assert count == (10, {"truncated/text": 4})
    first = tf.train.Example.FromString(next(read_serialized(target).as_numpy_iterator()))
    assert sorted(first.features.feature) == ["image", "label"]


def test_an_empty_shard_gives_an_empty_file(tmp_path):
    target = str(tmp_path / "out" / "shard")
    assert embed_shard(write_shard(tmp_path / "shard", 0), target, double, print) == (0, {})
    assert read_vectors(target) == []


def test_a_shard_that_fails_leaves_nothing(tmp_path):
    def fail_late(serialized):
        yield from double(serialized.take(4))
        raise RuntimeError("out of memory")

    source = write_shard(tmp_path / "shard", 10)
    with pytest.raises(RuntimeError, match="out of memory"):
        embed_shard(source, str(tmp_path / "out" / "shard"), fail_late, lambda count: None)
    assert tf.io.gfile.listdir(str(tmp_path / "out")) == []


def test_whole_numbers_stay_whole_and_floats_are_lists():
    (serialized,) = to_examples(
        {"image": np.array([[0.5, 1.5]], np.float32), "label": np.array([-1])}
    )
    feature = tf.train.Example.FromString(serialized).features.feature
    assert list(feature["image"].float_list.value) == [0.5, 1.5]
    assert list(feature["label"].int64_list.value) == [-1]
