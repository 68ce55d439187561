"""Records are found again in the files that they came from."""

import pytest
import tensorflow as tf

from components.example_gen.origins import Origins, index_file


@pytest.fixture
def indexed(tmp_path):
    def make(files: dict[str, list[bytes]]) -> Origins:
        indexes = []
        for name, records in files.items():
            options = tf.io.TFRecordOptions("GZIP" if name.endswith(".gz") else "")
            with tf.io.TFRecordWriter(str(tmp_path / name), options) as writer:
                for record in records:
                    writer.write(record)
            indexes.append((name, str(tmp_path / f"{name}.index")))
            assert index_file(str(tmp_path / name), indexes[-1][1]) == len(records)
        return Origins(indexes)

    return make


def test_every_record_is_found_with_its_file_and_number(indexed):
    records = [b"%d" % number for number in range(1000)]
    origins = indexed({"a": records[:300], "none": [], "b.gz": records[300:]})
    assert len(origins) == 1000
    assert [origins.find(record) for record in records] == [
        *(f"a:{number}" for number in range(1, 301)),
        *(f"b.gz:{number}" for number in range(1, 701)),
    ]


def test_of_equal_records_the_first_is_found_and_an_unknown_one_is_not(indexed):
    origins = indexed({"a": [b"x", b"y"], "b": [b"z", b"y", b"y"]})
    assert origins.find(b"y") == "a:2"
    assert origins.find(b"other") is None
    assert indexed({"none": []}).find(b"x") is None
