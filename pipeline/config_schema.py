"""Finds the part of a JSON Schema that a config key belongs to, and puts it into words.

Works on the schemas that pydantic makes of records, with their references put
in place by `expand`; a keyword of JSON Schema that records begin to use is
handled here.
"""

from typing import Any, NamedTuple

from pipeline.yaml_source import Path

Schema = dict[str, Any]

# A record's json_schema_extra that says what it may be written as instead.
SHORT_FORM = "x-short-form"

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


class Located(NamedTuple):
    """A place in a config."""

    path: Path  # as the user wrote it
    schema: Schema  # of the value there; empty for an unknown key
    parent: Schema  # of the mapping or list around it
    is_key: bool  # the key itself is meant, not its value
    is_other_member: bool  # of a union whose other member the value is meant for


def expand(schema: Schema) -> Schema:
    """Puts the definition in place of each reference; records never nest endlessly."""
    definitions = schema.get("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, list):
            return [inline(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return inline(definitions[part["$ref"].rpartition("/")[2]])
        if "discriminator" in part:
            tags = part["discriminator"]["mapping"]
            return {"members": {tag: inline({"$ref": ref}) for tag, ref in tags.items()}}
        return {key: inline(value) for key, value in part.items() if key != "$defs"}

    return inline(schema)


def locate(loc: Path, schema: Schema, data: Any) -> Located:
    """Follows pydantic's location of an error, which also names union members.

    Args:
        loc: The location.
        schema: The expanded schema of the whole.
        data: The value of the whole, as the user wrote it.

    Returns:
        The place without union members. Where a value fits no member of a
        union, the place and the schema are the union's.
    """
    here, parent = schema, Schema()
    path: list[str | int] = []
    for part in loc:
        if part == "[key]":
            return Located(tuple(path), _keys(parent), parent, True, False)
        members = _members(here)
        if "members" in here:
            here = here["members"][part]
        elif len(members) > 1:
            # pydantic reports the errors of every member; those of the one
            # that the value is meant for count.
            value = value_at(data, tuple(path))
            meant = [member for member in members if _fits(value, member)]
            if not meant:
                return Located(tuple(path), here, parent, False, False)
            if not any(_is_called(str(part), member) for member in meant):
                return Located(tuple(path), here, parent, False, True)
            here = meant[0]
        else:
            parent, here = members[0], _below(members[0], part)
            path.append(part)
    return Located(tuple(path), here, parent, False, False)


def value_at(data: Any, path: Path) -> Any:
    """The value at a path of plain data, None where there is none."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def describe(schema: Schema) -> list[str]:
    """Says in words which values a schema takes, one text for each alternative."""
    if "members" in schema:
        return [f"a mapping {{kind: {tag}, …}}" for tag in schema["members"]]
    if "anyOf" in schema:
        return [text for member in schema["anyOf"] for text in describe(member)]
    if "const" in schema:
        return [str(schema["const"])]
    if "enum" in schema:
        return [str(choice) for choice in schema["enum"]]
    kind = schema.get("type")
    if kind == "object":
        short = describe(schema[SHORT_FORM]) if SHORT_FORM in schema else []
        return [*short, _describe_mapping(schema)]
    if kind == "array":
        return ["a list; each item: " + " or ".join(describe(schema.get("items", {})))]
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    text = words.get(str(kind), "null" if kind == "null" else "text") + _bounds(schema)
    if "pattern" in schema:
        text += f" that matches {schema['pattern']}"
    if "examples" in schema:
        text += f", such as {schema['examples'][0]}"
    return [text]


def _describe_mapping(schema: Schema) -> str:
    key = _keys(schema)
    named = [f"{example}: …" for example in key.get("examples", ())]
    keys = ", ".join(schema.get("properties") or named or describe(key))
    count = ", not empty" if schema.get("minProperties") else ""
    return f"a mapping {{{keys}}}{count}"


def _bounds(schema: Schema) -> str:
    words = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    )
    bounds = [f"{word} {schema[key]:g}" for key, word in words if key in schema]
    text = " " + " and ".join(bounds) if bounds else ""
    return text + (", not empty" if schema.get("minLength") else "")


def _members(schema: Schema) -> list[Schema]:
    """The members of a union apart from null, or the schema by itself."""
    if "anyOf" not in schema:
        return [schema]
    return [member for member in schema["anyOf"] if member.get("type") != "null"]


def _below(schema: Schema, part: str | int) -> Schema:
    if isinstance(part, int):
        return schema.get("items", {})
    patterns = list(schema.get("patternProperties", {}).values())
    others = patterns[0] if patterns else schema.get("additionalProperties")
    return schema.get("properties", {}).get(part, others if isinstance(others, dict) else {})


def _keys(schema: Schema) -> Schema:
    """The schema of a mapping's keys."""
    patterns = [{"pattern": pattern} for pattern in schema.get("patternProperties", ())]
    return {"type": "string", **schema.get("propertyNames", {}), **(patterns or [{}])[0]}


def _fits(value: Any, schema: Schema) -> bool:
    types = _TYPES.get(str(schema.get("type")), (object,))
    return isinstance(value, types) and not (isinstance(value, bool) and bool not in types)


def _is_called(label: str, schema: Schema) -> bool:
    """Whether pydantic's name of a union member, such as `dict[str,str]`, is this member's."""
    names = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
    containers = {"object": ("dict",), "array": ("list", "tuple")}
    kind = str(schema.get("type"))
    exact = label in (names.get(kind), schema.get("title"))
    return exact or label.startswith(containers.get(kind, ()))
