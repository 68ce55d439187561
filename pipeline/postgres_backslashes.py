"""Lets ML Metadata keep texts with backslashes in PostgreSQL, such as JSON within JSON.

Both stacks' ml-metadata puts such a text between quotes that are there already, and
PostgreSQL refuses the statement. So on the way there another sign stands for the
backslash, which no JSON and no path has, and on the way back the backslash again.
"""

from typing import Any

from google.protobuf.message import Message
from ml_metadata.metadata_store import metadata_store

# U+001A, "substitute".
_BACKSLASH, _STAND_IN = "\\", "\x1a"

_call_method = metadata_store.MetadataStore._call_method


def mend_backslashes() -> None:
    """Has every store that is opened on PostgreSQL in this process do so."""
    metadata_store.MetadataStore._call_method = _call_with_stand_ins


def _call_with_stand_ins(store: Any, name: str, request: Message, response: Message) -> None:
    if not (store._using_db_connection and store._config.HasField("postgresql")):
        _call_method(store, name, request, response)
        return
    if _BACKSLASH.encode() in request.SerializeToString():
        copy = type(request)()
        copy.CopyFrom(request)
        request = copy
        _replace(request, _BACKSLASH, _STAND_IN)
    _call_method(store, name, request, response)
    if _STAND_IN.encode() in response.SerializeToString():
        _replace(response, _STAND_IN, _BACKSLASH)


def _replace(message: Message, old: str, new: str) -> None:
    """Replaces a sign in every text of a message, at any depth."""
    for field, value in message.ListFields():
        if isinstance(value, str):
            setattr(message, field.name, value.replace(old, new))
        elif isinstance(value, Message):
            _replace(value, old, new)
        elif field.type in (field.TYPE_MESSAGE, field.TYPE_STRING):
            places = list(value) if hasattr(value, "items") else range(len(value))
            for place in places:
                if isinstance(value[place], Message):
                    _replace(value[place], old, new)
                elif isinstance(value[place], str):
                    value[place] = value[place].replace(old, new)
