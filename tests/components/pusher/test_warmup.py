"""Warm-up requests are real examples, in the form that TF Serving replays."""

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.pusher import warmup
from components.pusher.warmup import write_warmup
from preprocessing.config import (
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from preprocessing.model_info import ModelInfo, read_model_info

INFO = ModelInfo(
    features={
        "image": ImageFeature(backbone="hub:any"),
        "title": TextFeature(kind="text", backbone="hub:any"),
        "price": NumericFeature(kind="numeric"),
        "brand": CategoricalFeature(kind="categorical"),
    },
    images={},
    label=LabelConfig(),
    classes=("a", "b"),
)


def make_example(**columns):
    example = tf.train.Example()
    for name, value in columns.items():
        feature = example.features.feature[name]
        if isinstance(value, float):
            feature.float_list.value.append(value)
        else:
            feature.bytes_list.value.append(value)
    return example


def write_examples(path, examples, compression=""):
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for example in examples:
            writer.write(example.SerializeToString())
    return str(path)


def read_requests(path):
    """The requests as `(signature, inputs)`."""
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    return [
        (
            log.predict_log.request.model_spec.signature_name,
            {name: tf.make_ndarray(one) for name, one in log.predict_log.request.inputs.items()},
        )
        for log in logs
    ]


@pytest.fixture
def requests(tmp_path):
    """Writes requests from some examples; gives how many, and the requests."""

    def write(examples, count=8, compression="", files=2, info=INFO):
        half = (len(examples) + files - 1) // files
        suffix = ".gz" if compression else ""
        shards = [
            write_examples(
                tmp_path / f"shard-{number}{suffix}",
                examples[number * half : (number + 1) * half],
                compression,
            )
            for number in range(files)
        ]
        path = tmp_path / "requests"
        made = write_warmup(info, shards, "serving_examples", str(path), count)
        return made, read_requests(path) if path.exists() else None

    return write


FULL = {"image": b"\xff\xd8", "title": b"a mug", "price": 2.5, "brand": b"acme"}


def test_each_example_is_asked_about_alone_and_all_together_in_both_signatures(requests):
    made, found = requests([make_example(**FULL), make_example(**{**FULL, "price": 3.5})])
    assert made == len(found) == 6
    assert [name for name, _ in found] == ["serving_default", "serving_examples"] * 3
    columns = [inputs for name, inputs in found if name == "serving_default"]
    assert [inputs["price"].tolist() for inputs in columns] == [[2.5], [3.5], [2.5, 3.5]]
    assert columns[0]["image"].tolist() == [b"\xff\xd8"]
    assert set(columns[0]) == set(INFO.features)
    assert [len(inputs["examples"]) for name, inputs in found if name != "serving_default"] == [
        1,
        1,
        2,
    ]


def test_one_example_is_not_asked_about_twice(requests):
    made, _found = requests([make_example(**FULL)])
    assert made == 2


def test_the_label_and_other_columns_stay_behind(requests):
    _made, found = requests([make_example(**FULL, label=b"a", customer=b"Jane")])
    (serialized,) = found[1][1]["examples"]
    assert set(tf.train.Example.FromString(serialized).features.feature) == set(INFO.features)


def test_a_missing_value_is_what_the_model_takes_for_missing(requests):
    _made, found = requests([make_example(title=b"a mug")])
    assert found[0][1]["image"].tolist() == [b""]
    assert found[0][1]["title"].tolist() == [b"a mug"]


def test_no_more_examples_than_asked_for_are_taken_from_the_first_shards_on(requests):
    examples = [make_example(**{**FULL, "price": float(n)}) for n in range(20)]
    made, found = requests(examples, count=3)
    assert made == 8
    assert found[-2][1]["price"].tolist() == [0.0, 1.0, 2.0]


def test_examples_that_are_too_large_together_are_left_out(requests, monkeypatch):
    monkeypatch.setattr(warmup, "MAX_BYTES", 4 * 1000)
    examples = [make_example(**{**FULL, "image": b"0" * size}) for size in (300, 5000, 300, 300)]
    made, found = requests(examples)
    assert made == 6
    assert [len(one) for one in found[-2][1]["image"]] == [300, 300]


def test_where_all_are_too_large_the_split_is_not_read_to_its_end(requests, monkeypatch):
    monkeypatch.setattr(warmup, "MAX_BYTES", 4 * 1000)
    large, small = (make_example(**{**FULL, "image": b"0" * size}) for size in (5000, 300))
    assert requests([large] * 16 + [small], count=2) == (0, None)
    assert requests([large] * 15 + [small], count=2)[0] == 2


def test_no_file_holds_more_than_its_limit(requests, tmp_path):
    examples = [make_example(**{**FULL, "image": b"0" * 200_000}) for _ in range(100)]
    requests(examples, count=100)
    assert (tmp_path / "requests").stat().st_size <= warmup.MAX_BYTES * 1.01


def test_compressed_shards_are_read(requests):
    assert requests([make_example(**FULL)] * 2, compression="GZIP")[0] == 6


def test_without_an_example_there_is_no_file(requests):
    assert requests([]) == (0, None)


def test_a_model_answers_them_in_both_signatures_alike(requests, colours_model, picture):
    info = read_model_info(str(colours_model))
    examples = [make_example(image=picture(colour)) for colour in ([255, 0, 0], [0, 0, 255])]
    _made, found = requests(examples, info=info)
    model = tf.saved_model.load(str(colours_model))
    answers = [
        model.signatures[name](**{key: tf.constant(one) for key, one in inputs.items()})
        for name, inputs in found
    ]
    assert answers[-1]["label"].numpy().tolist() == [b"red", b"blue"]
    for raw, serialized in zip(answers[::2], answers[1::2], strict=True):
        assert raw["probabilities"].numpy().tolist() == serialized["probabilities"].numpy().tolist()
