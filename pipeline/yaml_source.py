"""Reads YAML as text, numbers, true/false, null, lists and mappings, nothing else.

Scalars follow YAML 1.2 (`1e-3` is a number, `no` and `2024-01-01` are text),
so that a value means here what it means to an editor that knows the JSON
Schema. Every key remembers its line, for errors.
"""

import math
import re
from typing import Any, NamedTuple

import yaml

from preprocessing.errors import ConfigError, explain

_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
)
_KNOWN_TAGS = {_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map")}

# Where a key stands: the keys and list positions that lead to it.
Path = tuple[str | int, ...]


class Document(NamedTuple):
    """Plain data and, for each path in it, the place to show in an error."""

    data: Any
    places: dict[Path, str]


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[Any]] = {}


for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(text: str, source: str) -> Document:
    """Parses one YAML document.

    Args:
        text: The document; an empty one is None.
        source: What to call it in errors, such as the file's name.

    Returns:
        The data, and the place of each path as "source, line n".

    Raises:
        ConfigError: The syntax is wrong, a key comes twice or is no text, a
            value is of a type that configs do not have, or an alias contains
            itself.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None, {})
        places: dict[Path, str] = {}
        _check(node, (), source, places, ())
        return Document(loader.construct_document(node), places)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        received = "".join(text.split("\n")[mark.line : mark.line + 1]).strip() if mark else text
        what = f"{place}: this is not valid YAML: {error.problem or error.context}"
        raise ConfigError(explain(what, received)) from None
    except (ValueError, KeyError):
        # Only a tag that somebody wrote, such as !!int, can promise what is not there.
        raise ConfigError(f"{source}: a value is not of the type that its !! tag says") from None
    except RecursionError:
        raise ConfigError(f"{source}: lists or mappings are nested too deeply") from None
    except yaml.YAMLError as error:
        what = str(error).split("\n")[0]
        raise ConfigError(f"{source}: this is not valid YAML: {what}") from None


def _check(
    node: yaml.Node, path: Path, source: str, places: dict[Path, str], above: tuple[int, ...]
) -> None:
    """Refuses what a config cannot hold and notes the line of every path."""
    place = f"{source}, line {node.start_mark.line + 1}"
    if id(node) in above:
        raise ConfigError(f"{place}: this alias contains itself")
    above = (*above, id(node))
    places.setdefault(path, place)
    if node.tag not in _KNOWN_TAGS:
        valid = ["text", "numbers", "true", "false", "null", "lists", "mappings"]
        received = node.tag.replace(_TAG, "!!")
        raise ConfigError(explain(f"{place}: a config holds no such type", received, valid))
    if isinstance(node, yaml.MappingNode):
        _check_mapping(node, path, source, places, above)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _check(item, (*path, position), source, places, above)
    elif node.tag == _TAG + "float" and not _is_finite(node):
        raise ConfigError(explain(f"{place}: this is not a finite number", node.value))


def _is_finite(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and math.isfinite(
        _Loader("").construct_yaml_float(node)
    )


def _check_mapping(
    node: yaml.MappingNode,
    path: Path,
    source: str,
    places: dict[Path, str],
    above: tuple[int, ...],
) -> None:
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.tag == _TAG + "merge":
            _check(value, path, source, {}, above)
            continue
        if key.tag != _TAG + "str":
            received = key.value if isinstance(key, yaml.ScalarNode) else key.tag.replace(_TAG, "")
            what = f"{source}, line {line}: a key must be text; put it in quotes"
            raise ConfigError(explain(what, received))
        if key.value in lines:
            what = f"{source}, line {line}: this key is already on line {lines[key.value]}"
            raise ConfigError(explain(what, ".".join(str(part) for part in (*path, key.value))))
        lines[key.value] = line
        below = (*path, key.value)
        places[below] = f"{source}, line {line}"
        _check(value, below, source, places, above)
