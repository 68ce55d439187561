"""The sample request fits what the model says that it takes."""

import io
import json
import shlex

import tensorflow as tf
from PIL import Image

from preprocessing.config import CategoricalFeature, ImageFeature, NumericFeature, TextFeature
from serving.sample import sample_curl, sample_row


def test_there_is_a_value_for_every_kind_of_feature():
    row = sample_row(
        {
            "image": ImageFeature(backbone="hub:x"),
            "title": TextFeature(kind="text", backbone="hub:x"),
            "price": NumericFeature(kind="numeric"),
            "brand": CategoricalFeature(kind="categorical"),
        }
    )
    assert {name: type(value) for name, value in row.items()} == {
        "image": dict,
        "title": str,
        "price": float,
        "brand": str,
    }
    encoded = tf.io.decode_base64(row["image"]["b64"].replace("+", "-").replace("/", "_")).numpy()
    with Image.open(io.BytesIO(encoded)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1, 1))


def test_the_command_is_one_that_a_shell_takes(colours_model):
    program, flag, body, url = shlex.split(
        sample_curl(str(colours_model), "http://h:1/v1/models/m")
    )
    assert (program, flag, url) == ("curl", "-d", "http://h:1/v1/models/m:predict")
    assert list(json.loads(body)["instances"][0]) == ["image"]


def test_a_model_of_others_is_asked_what_it_takes(tmp_path):
    assert (
        sample_curl(str(tmp_path), "http://h:1/v1/models/m")
        == "curl http://h:1/v1/models/m/metadata"
    )
