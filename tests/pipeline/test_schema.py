"""The schema: pictures are declared as such, and serving needs no label."""

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils

from pipeline.schema import build_schema, write_schema
from preprocessing.config import CategoricalFeature, ImageFeature, NumericFeature, TextFeature

IMAGE = ImageFeature(backbone="hub:x")


def test_a_picture_is_declared_as_one_and_parsed_as_a_scalar():
    schema = build_schema({"image": IMAGE}, "label")
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
    schema = build_schema({"image": IMAGE}, "label")
    absent = {one.name for one in schema.feature if "SERVING" in one.not_in_environment}
    assert {one.name for one in schema.feature} - absent == {"image"}


def test_what_slices_group_by_is_text_and_not_expected_when_serving():
    schema = build_schema({"photo": IMAGE}, "class", ["brand"])
    (brand,) = [one for one in schema.feature if one.name == "brand"]
    assert brand.type == schema_pb2.BYTES
    assert list(brand.not_in_environment) == ["SERVING"]


def test_another_schema_gets_another_file_and_the_same_one_the_same(tmp_path):
    first = write_schema(build_schema({"image": IMAGE}, "label"), tmp_path)
    again = write_schema(build_schema({"image": IMAGE}, "label"), tmp_path)
    other = write_schema(build_schema({"image": IMAGE}, "kind"), tmp_path)
    assert first == again != other


def test_each_kind_has_its_type_and_the_columns_beside_it():
    features = {
        "name": TextFeature(kind="text", backbone="hub:x"),
        "price": NumericFeature(kind="numeric", missing="default"),
        "brand": CategoricalFeature(kind="categorical"),
    }
    schema = build_schema(features, "label")
    assert {one.name: one.type for one in schema.feature} == {
        "name": schema_pb2.BYTES,
        "name_characters": schema_pb2.INT,
        "price": schema_pb2.FLOAT,
        "brand": schema_pb2.BYTES,
        "label": schema_pb2.BYTES,
        "source": schema_pb2.BYTES,
    }
    assert {one.presence.min_fraction for one in schema.feature} == {1.0}
    serving = [one.name for one in schema.feature if "SERVING" not in one.not_in_environment]
    assert serving == ["name", "price", "brand"]
