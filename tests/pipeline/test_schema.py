"""The schema: pictures are declared as such, and serving needs no label."""

import tensorflow_data_validation as tfdv
from tensorflow_transform.tf_metadata import schema_utils

from pipeline.schema import build_schema, write_schema


def test_a_picture_is_declared_as_one_and_parsed_as_a_scalar():
    schema = build_schema(["image"], "label", measured=True)
    assert tfdv.get_feature(schema, "image").HasField("image_domain")
    spec = schema_utils.schema_as_feature_spec(schema).feature_spec
    assert {name: one.shape for name, one in spec.items()} == dict.fromkeys(
        [
            "image",
            "image_width",
            "image_height",
            "image_bytes",
            "image_format",
            "label",
            "source",
        ],
        [],
    )


def test_only_the_features_are_expected_when_serving():
    schema = build_schema(["image"], "label", measured=True)
    absent = {one.name for one in schema.feature if "SERVING" in one.not_in_environment}
    assert {one.name for one in schema.feature} - absent == {"image"}


def test_records_of_others_are_asked_for_nothing_but_features_and_label():
    schema = build_schema(["photo"], "class", measured=False)
    assert [one.name for one in schema.feature] == ["photo", "class"]


def test_another_schema_gets_another_file_and_the_same_one_the_same(tmp_path):
    first = write_schema(build_schema(["image"], "label", measured=True), tmp_path)
    again = write_schema(build_schema(["image"], "label", measured=True), tmp_path)
    other = write_schema(build_schema(["image"], "kind", measured=True), tmp_path)
    assert first == again != other
