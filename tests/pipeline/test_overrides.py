"""`--set key=value` changes one value and remembers that it did."""

import pytest

from pipeline.overrides import apply_overrides
from pipeline.yaml_source import read_yaml
from preprocessing.errors import ConfigError

TEXT = "a: {b: 1, c: [x]}\nbackbone: hub:x\n"


def override(*overrides):
    return apply_overrides(read_yaml(TEXT, "a.yaml"), overrides)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("1e-3", 0.001),
        ("", None),
        ("[1, 2]", [1, 2]),
        ("{x: y}", {"x": "y"}),
        ("b=c", "b=c"),
    ],
)
def test_a_value_is_read_as_yaml(text, value):
    assert override(f"a.b={text}").data["a"]["b"] == value


def test_the_other_values_stay():
    assert override("a.b=2").data == {"a": {"b": 2, "c": ["x"]}, "backbone": "hub:x"}


def test_the_document_itself_is_not_changed():
    document = read_yaml(TEXT, "a.yaml")
    apply_overrides(document, ["a.b=2"])
    assert document == read_yaml(TEXT, "a.yaml")


def test_the_last_of_several_wins():
    assert override("a.b=2", "a.b=3").data["a"]["b"] == 3


def test_missing_mappings_are_made():
    assert override("train.head.dropout=0.5").data["train"] == {"head": {"dropout": 0.5}}


def test_a_bare_backbone_becomes_a_mapping_with_its_handle():
    assert override("backbone.size=96").data["backbone"] == {"handle": "hub:x", "size": 96}


def test_the_place_of_what_was_changed_is_the_override():
    places = override("a.c=[y]").places
    assert places["a", "c"] == "--set a.c=[y]"
    assert ("a", "c", 0) not in places
    assert places["a", "b"] == "a.yaml, line 1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.b", "--set takes a key and a value, such as train.epochs=5\n  Received: 'a.b'"),
        ("=5", "--set takes a key and a value, such as train.epochs=5\n  Received: '=5'"),
        ("a..b=5", "--set takes a key and a value, such as train.epochs=5\n  Received: 'a..b=5'"),
        (
            "a.b.c=5",
            "--set a.b.c=5: a.b is not a mapping, so nothing is below it\n  Received: 1",
        ),
        (
            "a.b=[1",
            "--set a.b=[1, line 1, column 3: this is not valid YAML: expected ',' or ']', but got "
            "'<stream end>'\n  Received: '[1'",
        ),
    ],
)
def test_a_broken_override_is_explained(text, message):
    with pytest.raises(ConfigError) as caught:
        override(text)
    assert str(caught.value) == message
