"""The JSON Schema says to an editor what the config's own check says to us."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from pipeline.config import Config
from pipeline.json_schema import build_json_schema, json_schema_text

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))

GOOD = {
    "name": "flowers",
    "data": {"source": {"kind": "image_folder", "path": "pictures"}},
    "features": {"image": {"kind": "image", "backbone": "hub:backbones/small"}},
}


def errors(config):
    return [
        error.message for error in Draft202012Validator(build_json_schema()).iter_errors(config)
    ]


def test_it_is_a_schema():
    Draft202012Validator.check_schema(build_json_schema())


def test_the_committed_one_is_up_to_date():
    committed = (ROOT / "docs" / "config.schema.json").read_text(encoding="utf-8")
    assert committed == json_schema_text(), "run: graft schema -o docs/config.schema.json"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(path):
    assert errors(yaml.safe_load(path.read_text(encoding="utf-8"))) == []


def test_both_forms_of_a_backbone_are_valid():
    assert errors(GOOD) == []
    long = {"image": {"kind": "image", "backbone": {"handle": "keras:MobileNetV2", "size": 96}}}
    assert errors({**GOOD, "features": long}) == []


def test_every_kind_of_feature_is_valid():
    features = {
        "picture": {"kind": "image", "backbone": "hub:a", "missing": "default"},
        "name": {"kind": "text", "backbone": "hub:a", "column": "title"},
        "price": {"kind": "numeric", "buckets": 5},
        "brand": {"kind": "categorical", "top_k": None},
    }
    assert errors({**GOOD, "features": features}) == []


@pytest.mark.parametrize(
    "change",
    [
        {"nam": "x"},
        {"train": {"epoch": 3}},
        {"train": {"epochs": 0}},
        {"data": {"source": {"kind": "csvs", "path": "a"}}},
        {"evaluate": {"thresholds": {"acuracy": {}}}},
        {"features": {}},
        {"features": {"my-image": {"kind": "image", "backbone": "hub:a"}}},
        {"features": {"image": {"backbone": "hub:a"}}},
        {"features": {"image": {"kind": "imagee", "backbone": "hub:a"}}},
        {"features": {"price": {"kind": "numeric", "backbone": "hub:a"}}},
        {"features": {"brand": {"kind": "categorical", "buckets": 3}}},
        {"name": "My Flowers"},
    ],
)
def test_what_the_config_refuses_the_schema_refuses(change):
    assert errors({**GOOD, **change})


def test_every_section_of_the_config_is_in_it():
    assert list(build_json_schema()["properties"]) == [
        field.alias or name for name, field in Config.model_fields.items()
    ]
