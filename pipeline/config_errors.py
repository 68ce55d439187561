"""Turns what pydantic says about a config into what its user needs to read.

Every error names the key and its line, what was received and what is valid.
What is valid comes from the JSON Schema, so a new field needs nothing here.
"""

import json
import reprlib
from typing import Any

from pydantic import ValidationError

from pipeline.config_schema import Located, Schema, describe, expand, locate, value_at
from pipeline.yaml_source import Document, Path
from preprocessing.errors import ConfigError, explain

_SEE = "graft schema"


class _Plain(str):
    """A text that `explain` shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def explain_errors(error: ValidationError, document: Document, schema: Schema) -> ConfigError:
    """Builds one error out of all that pydantic found.

    Args:
        error: What validation raised.
        document: The data that was validated.
        schema: The JSON Schema of the record that it was validated as.

    Returns:
        The error to raise.
    """
    expanded = expand(schema)
    messages: dict[tuple[Path, bool], str] = {}
    for item in error.errors(include_url=False):
        if item["type"] == "too_short" and item["input"]:
            continue  # pydantic counts the valid items; the others are reported.
        located = locate(item["loc"], expanded, document.data)
        if not located.is_other_member:
            key = (located.path, located.is_key)
            messages.setdefault(key, _message(item, located, document))
    parts = list(messages.values())
    heading = [f"{len(parts)} values are not valid"] if len(parts) > 1 else []
    return ConfigError("\n\n".join(heading + parts))


def _message(item: Any, located: Located, document: Document) -> str:
    path, value = located.path, value_at(document.data, located.path)
    if item["type"] == "value_error":
        what, *rest = str(item["ctx"]["error"]).split("\n")
        what = f"{place_of(path, document)}{_dotted(path) + ': ' if path else ''}{what}"
        return "\n".join([what, *rest]) if rest or not path else explain(what, _shown(value))
    if item["type"] == "union_tag_not_found":
        path = (*path, "kind")
    where = place_of(path, document) + _dotted(path)
    if item["type"] in ("missing", "union_tag_not_found"):
        around = value_at(document.data, path[:-1])
        received = _Plain(", ".join(map(str, around)) if around else "nothing")
        valid = located.schema.get("members") or describe(located.schema)
        return explain(f"{where} is missing", received, valid, _SEE)
    if item["type"] == "union_tag_invalid":
        where = place_of((*path, "kind"), document) + _dotted((*path, "kind"))
        return explain(f"{where} is not valid", value["kind"], located.schema["members"], _SEE)
    if item["type"] == "extra_forbidden":
        known = located.parent.get("properties", {})
        return explain(f"{where} is not a known key", path[-1], known, _SEE)
    if located.is_key:
        return explain(f"{where} is not a valid key", path[-1], describe(located.schema), _SEE)
    # A type or bound that the schema does not know keeps pydantic's own words.
    valid = describe(located.schema) if located.schema else [item["msg"]]
    return explain(f"{where} is not valid", _shown(value), valid, _SEE)


def _shown(value: Any) -> Any:
    """Shortens what is long and writes what YAML writes differently."""
    if value is None or isinstance(value, bool):
        return _Plain(json.dumps(value))
    short = reprlib.Repr()
    short.maxstring = short.maxother = 120
    text = short.repr(value)
    return value if text == repr(value) else _Plain(text)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path)) or "the config"


def place_of(path: Path, document: Document) -> str:
    """The file and line of a key, or of the nearest one above it that has a line.

    Ends in a colon and a space; empty where nothing has a line.
    """
    for length in range(len(path), -1, -1):
        place = document.places.get(path[:length])
        if place is not None and (place.startswith("--set") or length > 0):
            return f"{place}: "
    top = document.places.get(())
    return f"{top.rpartition(', line ')[0]}: " if top else ""
