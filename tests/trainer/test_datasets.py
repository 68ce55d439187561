import numpy as np
import pytest
import tensorflow as tf

from preprocessing.errors import DataError
from trainer.datasets import known_labels, make_batches, read_features, scan
from trainer.head_inputs import HeadInput

INPUTS = {"image": HeadInput(kind="vector", width=2)}
LABEL = tf.io.FixedLenFeature([], tf.int64)


def is_known(labels):
    return labels >= 0


def write(path, rows, compression=""):
    """Writes `(vector, label)` rows as a shard of feature vectors."""
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression)) as writer:
        for vector, label in rows:
            feature = {
                "image": tf.train.Feature(float_list=tf.train.FloatList(value=vector)),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def of(vectors, labels):
    vectors = np.asarray(vectors, np.float32)
    return tf.data.Dataset.from_tensor_slices(({"image": vectors}, np.asarray(labels, np.int64)))


def test_records_are_read_in_the_order_of_the_file_names_gzipped_ones_last(tmp_path):
    write(tmp_path / "b.tfrecord", [([3, 4], 1)])
    write(tmp_path / "a.tfrecord", [([1, 2], 0)])
    write(tmp_path / "0.tfrecord.gz", [([5, 6], 2)], "GZIP")
    dataset = read_features(str(tmp_path / "*"), INPUTS, "label", LABEL)
    rows = [(features["image"].tolist(), label) for features, label in dataset.as_numpy_iterator()]
    assert rows == [([1, 2], 0), ([3, 4], 1), ([5, 6], 2)]


def test_elements_are_single_vectors_of_float32_with_an_int64_label(tmp_path):
    write(tmp_path / "a", [([1, 2], 0)])
    dataset = read_features([str(tmp_path / "a")], INPUTS, "label", LABEL)
    assert dataset.element_spec == (
        {"image": tf.TensorSpec([2], tf.float32)},
        tf.TensorSpec([], tf.int64),
    )


def test_a_pattern_without_files_is_one_clear_error(tmp_path):
    with pytest.raises(DataError) as caught:
        read_features([f"{tmp_path}/a*", f"{tmp_path}/b*"], INPUTS, "label", LABEL)
    message = f"No file with feature vectors matches {tmp_path}/a*, {tmp_path}/b*."
    assert str(caught.value) == message


def test_a_scan_counts_averages_and_leaves_out_unknown_labels():
    split = scan(of([[1, 2], [3, 6], [100, 100]], [0, 1, -1]), is_known)
    assert (split.examples, split.unknown) == (2, 1)
    assert split.means["image"].tolist() == [2, 4]
    assert split.variances["image"].tolist() == [1, 4]
    assert split.arrays[0]["image"].tolist() == [[1, 2], [3, 6]]
    assert split.arrays[1].tolist() == [0, 1]
    assert [label for _, label in split.dataset.as_numpy_iterator()] == [0, 1]


def test_a_split_beyond_the_limit_is_averaged_but_not_kept():
    vectors = np.arange(2000).reshape(1000, 2)
    split = scan(of(vectors, np.zeros(1000)), is_known, limit_bytes=1000)
    assert split.arrays is None
    assert split.examples == 1000
    assert split.means["image"].tolist() == [999, 1000]


def test_a_split_without_known_labels_is_counted_as_empty():
    split = scan(of([[1, 2]], [-1]), is_known)
    assert (split.examples, split.unknown, split.means) == (0, 1, {})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_are_one_clear_error(bad):
    with pytest.raises(DataError) as caught:
        scan(of([[1, 2], [bad, 2]], [0, 1]), is_known)
    assert str(caught.value) == (
        "The feature vectors of 'image' hold NaN or infinity, so nothing can be trained on "
        "them. The backbone makes them: check its weights and its input range."
    )


@pytest.mark.parametrize("limit", [0, 2**20])
def test_batches_hold_every_example_once_and_the_last_one_is_smaller(limit):
    batches = make_batches(
        scan(of([[0], [1], [2], [3], [4]], range(5)), is_known, limit), 2, seed=3
    )
    seen = list(batches.as_numpy_iterator())
    assert [len(labels) for _, labels in seen] == [2, 2, 1]
    assert len(batches) == 3
    assert sorted(np.concatenate([labels for _, labels in seen])) == [0, 1, 2, 3, 4]
    for features, labels in seen:
        assert features["image"][:, 0].tolist() == labels.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 2**20])
def test_a_pass_has_the_order_that_the_seed_and_its_number_give(limit):
    split = scan(of(np.zeros((50, 1)), range(50)), is_known, limit)

    def orders(seed, passes=range(3)):
        batches = make_batches(split, 50, seed, passes)
        return [labels.tolist() for _, labels in batches.as_numpy_iterator()]

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
    assert orders(1)[0] != orders(1)[1]
    assert orders(1, range(2, 3)) == orders(1)[2:]
    assert orders(None) == [list(range(50))] * 3


def test_a_batch_larger_than_the_split_is_the_whole_split():
    batches = make_batches(scan(of([[1], [2]], [0, 1]), is_known), 1000)
    assert [len(labels) for _, labels in batches.as_numpy_iterator()] == [2]


def test_labels_are_read_without_the_features_and_unknown_ones_left_out(tmp_path):
    write(tmp_path / "a", [([1, 2], 3), ([1, 2], -1), ([1, 2], 0)])
    dataset = read_features([str(tmp_path / "a")], {}, "label", LABEL)
    assert [labels.tolist() for labels in known_labels(dataset, is_known)] == [[3, 0]]
