"""The config's JSON Schema, by which editors complete and check a config."""

import json
from typing import Any

from pipeline.config import Config
from pipeline.config_schema import SHORT_FORM

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def build_json_schema() -> dict[str, Any]:
    """Builds the schema: draft 2020-12, closed, with the description of every key."""
    return {"$schema": DIALECT, **_tidy(Config.model_json_schema()), "title": "Graft config"}


def json_schema_text() -> str:
    """The schema as it stands in docs/config.schema.json."""
    return json.dumps(build_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(part: Any, names: bool = False) -> Any:
    """Drops titles that repeat the key, and allows the short form of records that have one.

    Args:
        part: A schema, or a mapping of them.
        names: Whether the keys of `part` are names of the config's own.
    """
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {
        key: value if key in ("default", "examples") else _tidy(value, key in _NAMED)
        for key, value in part.items()
        if names or key not in ("title", "discriminator", SHORT_FORM)
    }
    if "const" in tidy.get("properties", {}).get("kind", {}):
        # What tells the members of a union apart has no default there.
        tidy["required"] = sorted({"kind", *tidy.get("required", ())})
    if "patternProperties" in tidy and not names:
        tidy["additionalProperties"] = False
    return {"anyOf": [part[SHORT_FORM], tidy]} if SHORT_FORM in part and not names else tidy


_NAMED = ("properties", "$defs", "patternProperties")
