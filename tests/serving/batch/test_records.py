"""TFRecords: plain and compressed, ours and others', whole and damaged."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from preprocessing.errors import DataError, UsageError


def example(**values):
    features = {}
    for name, value in values.items():
        if isinstance(value, float):
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        else:
            data = [value.encode()]
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=data))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture
def records(tmp_path):
    """Writes records into a file; a number stands for an example with a price."""

    def write(*contents, name="goods.tfrecord", column="retail_price"):
        path = tmp_path / name
        options = "GZIP" if name.endswith(".gz") else ""
        with tf.io.TFRecordWriter(str(path), options) as writer:
            for one in contents:
                writer.write(one if isinstance(one, bytes) else example(**{column: float(one)}))
        return path

    return write


@pytest.mark.parametrize("name", ["goods.tfrecord", "goods.tfrecord.gz"])
def test_records_are_predicted_in_their_order(prices_model, records, predict, name):
    source = records(*range(7), name=name)
    report, rows = predict(prices_model("regression"), source, shard_rows=3)
    assert [row["source"] for row in rows] == [f"{name}:{number}" for number in range(1, 8)]
    assert [row["value"] for row in rows] == [0, 1, 4, 9, 16, 25, 36]
    assert report.rows == 7


def test_several_files_are_taken_in_the_order_of_their_names(prices_model, records, predict):
    records(3, name="b.tfrecord")
    source = records(1, 2, name="a.tfrecord.gz")
    expected = [("a.tfrecord.gz:1", 1), ("a.tfrecord.gz:2", 4), ("b.tfrecord:1", 9)]
    for given in (source.parent, source.parent / "*.tfrecord*"):
        _, rows = predict(
            prices_model("regression"), given, "../out.jsonl", shard_rows=2, overwrite=True
        )
        assert [(row["source"], row["value"]) for row in rows] == expected


def test_examples_of_ours_hold_features_under_their_names(prices_model, records, predict):
    ours = example(price=2.0, brand="Acme", source="shop/7", worth="3.5", colour="red")
    _, rows = predict(prices_model("regression"), records(ours), keep=("colour",))
    assert rows == [{"source": "shop/7", "actual": 3.5, "colour": "red", "value": 4.0}]


def test_a_damaged_record_costs_no_other_its_prediction(prices_model, records, predict):
    source = records(1, 2, b"no example", 4)
    content = bytearray(source.read_bytes())
    content[content.rindex(b"retail_price") + 1] ^= 1
    source.write_bytes(content)
    _, rows = predict(prices_model("regression"), source, max_unreadable=0.5, kind="tfrecord")
    assert [row["source"] for row in rows] == ["goods.tfrecord:1", "goods.tfrecord:2"]
    lines = Path(source.parent / "out.jsonl.quarantine.jsonl").read_text().splitlines()
    assert [(json.loads(line)["source"], json.loads(line)["reason"]) for line in lines] == [
        ("goods.tfrecord:3", "the record is no tf.Example"),
        ("goods.tfrecord:4", "the record is damaged: its checksum does not fit"),
    ]


def test_a_file_whose_records_cannot_be_told_apart_is_refused(prices_model, records, predict):
    source = records(*range(9))
    content = bytearray(source.read_bytes())
    fourth = 3 * (len(content) // 9)
    # Takes all that follows for one record.
    content[fourth : fourth + 8] = (len(content) - fourth - 16).to_bytes(8, "little")
    source.write_bytes(content)
    with pytest.raises(DataError) as caught:
        predict(prices_model("regression"), source)
    assert str(caught.value) == (
        f"{source}: damaged or cut short at byte {fourth}; write it again.\n"
        "  Received: '3 whole records'"
    )


def test_a_compressed_file_that_is_cut_short_is_refused(prices_model, records, predict):
    source = records(*range(2000), name="goods.tfrecord.gz")
    source.write_bytes(source.read_bytes()[:-2000])
    with pytest.raises(DataError) as caught:
        predict(prices_model("regression"), source)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{source}: the file is cut short or damaged; write it again."
    assert lines[1].endswith(" whole records'")
    assert [path.name for path in source.parent.iterdir()] == ["goods.tfrecord.gz"]


def test_records_without_a_feature_are_refused_with_the_closest_column(
    prices_model, records, predict
):
    source = records(1, column="retail_prize")
    with pytest.raises(UsageError) as caught:
        predict(prices_model("regression"), source)
    assert str(caught.value) == (
        f"{source}: the records have no such column.\n"
        "  Received: 'retail_price'\n"
        "  Valid: retail_prize\n"
        "  Did you mean 'retail_prize'?"
    )
