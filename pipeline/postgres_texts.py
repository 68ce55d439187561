"""Lets ML Metadata keep every text in PostgreSQL: backslashes and long ones, as of JSON in JSON.

Both stacks' ml-metadata puts a text with a backslash between quotes that are there already,
and PostgreSQL refuses the statement. So on the way there another sign stands for the
backslash, which no JSON and no path has, and on the way back the backslash again.

Their tables have an index over whole texts, and PostgreSQL refuses what is longer than a third
of a page of it, compressed. So a longer text is kept in pieces, under names that have that
sign.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from google.protobuf.message import Message
from ml_metadata.metadata_store import metadata_store

# U+001A, "substitute".
_BACKSLASH, _STAND_IN = "\\", "\x1a"
# Of 2,704, which the property's name is counted among; of UTF-8, a sign has up to four.
_PIECE_BYTES, _SIGN_BYTES = 2000, 4
_PROPERTIES = "custom_properties"

_call_method = metadata_store.MetadataStore._call_method


def mend_texts() -> None:
    """Has every store that is opened on PostgreSQL in this process do so."""
    metadata_store.MetadataStore._call_method = _call_mended


def _call_mended(store: Any, name: str, request: Message, response: Message) -> None:
    if not (store._using_db_connection and store._config.HasField("postgresql")):
        _call_method(store, name, request, response)
        return
    _call_method(store, name, for_postgres(request), response)
    restore(response)


def for_postgres(message: Message) -> Message:
    """Gives a message whose texts PostgreSQL takes: itself, or a copy."""
    if (
        _BACKSLASH.encode() not in message.SerializeToString()
        and message.ByteSize() <= _PIECE_BYTES
    ):
        return message
    copy = type(message)()
    copy.CopyFrom(message)
    _each_text(copy, lambda text: text.replace(_BACKSLASH, _STAND_IN), _cut)
    return copy


def restore(message: Message) -> None:
    """Brings a message back to what it was before `for_postgres`."""
    if _STAND_IN.encode() in message.SerializeToString():
        _each_text(message, lambda text: text.replace(_STAND_IN, _BACKSLASH), _join)


def _cut(values: MutableMapping[str, Any]) -> None:
    """Cuts long texts: the first piece is under the name itself, so that it is there."""
    for name in [name for name in values if values[name].HasField("string_value")]:
        text = values[name].string_value
        size = _PIECE_BYTES if text.isascii() else _PIECE_BYTES // _SIGN_BYTES
        for number, start in enumerate(range(0, len(text), size)):
            place = f"{name}{_STAND_IN}{number}" if number else name
            values[place].string_value = text[start : start + size]


def _join(values: MutableMapping[str, Any]) -> None:
    found = [(name.partition(_STAND_IN), name) for name in values if _STAND_IN in name]
    for (name, _, _), piece in sorted(found, key=lambda one: int(one[0][2])):
        values[name].string_value += values[piece].string_value
        del values[piece]


def _each_text(
    message: Message,
    change: Callable[[str], str],
    arrange: Callable[[MutableMapping[str, Any]], None],
) -> None:
    """Changes every text of a message, at any depth, and then the properties of one's own."""
    for field, value in message.ListFields():
        if isinstance(value, str):
            setattr(message, field.name, change(value))
        elif isinstance(value, Message):
            _each_text(value, change, arrange)
        elif field.type in (field.TYPE_MESSAGE, field.TYPE_STRING):
            places = list(value) if hasattr(value, "items") else range(len(value))
            for place in places:
                if isinstance(value[place], Message):
                    _each_text(value[place], change, arrange)
                elif isinstance(value[place], str):
                    value[place] = change(value[place])
            if field.name == _PROPERTIES:
                arrange(value)
