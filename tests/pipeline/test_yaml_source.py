"""A config is read as plain data, and what is not plain is refused with its line."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.yaml_source import read_yaml
from preprocessing.errors import ConfigError


def read(text):
    return read_yaml(text, "a.yaml").data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("12", 12),
        ("-3", -3),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        # What YAML 1.1 would make a boolean, a base-60 number, an octal or a date of.
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("~/data", "~/data"),
        ("1e", "1e"),
    ],
)
def test_a_scalar_means_what_it_means_in_yaml_1_2(text, value):
    got = read(f"key: {text}\n")["key"]
    assert got == value
    assert type(got) is type(value)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(min_codepoint=97, max_codepoint=122)), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(plain)
def test_json_is_read_as_json(value):
    assert read(json.dumps({"key": value})) == {"key": value}


def test_every_key_and_item_knows_its_line():
    places = read_yaml("a:\n  b: 1\n  c:\n  - x\n  - y\n", "a.yaml").places
    assert places == {
        (): "a.yaml, line 1",
        ("a",): "a.yaml, line 1",
        ("a", "b"): "a.yaml, line 2",
        ("a", "c"): "a.yaml, line 3",
        ("a", "c", 0): "a.yaml, line 4",
        ("a", "c", 1): "a.yaml, line 5",
    }


def test_aliases_and_merges_work():
    text = "base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}\nsame: *base\n"
    assert read(text) == {
        "base": {"a": 1, "b": 2},
        "more": {"a": 1, "b": 3},
        "same": {"a": 1, "b": 2},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb:\n  c: 1\n  c: 2\n",
            "a.yaml, line 4: this key is already on line 3\n  Received: 'b.c'",
        ),
        (
            "a: 1\n  b: 2\n",
            "a.yaml, line 2, column 4: this is not valid YAML: mapping values are not allowed "
            "here\n  Received: 'b: 2'",
        ),
        (
            "a: [1,\n",
            "a.yaml, line 2, column 1: this is not valid YAML: expected the node content, but "
            "found '<stream end>'\n  Received: ''",
        ),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "a.yaml, line 1: a config holds no such type\n"
            "  Received: '!!python/object/apply:os.system'\n"
            "  Valid: text, numbers, true, false, null, lists, mappings",
        ),
        (
            "\n1: a\n",
            "a.yaml, line 2: a key must be text; put it in quotes\n  Received: '1'",
        ),
        (
            "? [a]\n: b\n",
            "a.yaml, line 1: a key must be text; put it in quotes\n  Received: 'seq'",
        ),
        ("a: .inf\n", "a.yaml, line 1: this is not a finite number\n  Received: '.inf'"),
        ("a: !!int x", "a.yaml: a value is not of the type that its !! tag says"),
        ("a: !!bool x", "a.yaml: a value is not of the type that its !! tag says"),
        ("a: 1e999", "a.yaml, line 1: this is not a finite number\n  Received: '1e999'"),
        ("a: &a [*a]\n", "a.yaml, line 1: this alias contains itself"),
    ],
)
def test_what_a_config_cannot_hold_is_refused_with_its_line(text, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["a: \x00", "a: *b", "---\na: 1\n---\nb: 2\n", "a: \ud800", "@"])
def test_broken_text_never_ends_in_a_traceback(text):
    with pytest.raises(ConfigError, match=r"^a.yaml.*: this is not valid YAML: "):
        read(text)


def test_endless_nesting_is_refused():
    with pytest.raises(ConfigError, match="^a.yaml: lists or mappings are nested too deeply$"):
        read("[" * 10_000)


@given(st.text(alphabet="ab:-[]{}&*!<>|'\"#%@`, \n\t~0.e?", max_size=40))
def test_any_text_is_data_or_a_config_error(text):
    with contextlib.suppress(ConfigError):
        read(text)
