"""What a tf.Example of others has in its columns, in the types that it may have there."""

import math
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from components.example_gen.labels import join_labels
from components.example_gen.rows import UnusableError
from components.example_gen.shards import SOURCE
from components.example_gen.sources.columns import FeatureColumn
from preprocessing.config import LabelConfig

_NAMED_COLUMNS = 8


def parse_example(record: bytes) -> Any:
    """Reads a record's columns by name.

    Raises:
        UnusableError: If it is no tf.Example.
    """
    try:
        return tf.train.Example.FromString(record).features.feature
    except DecodeError as error:
        raise UnusableError("the record is no tf.Example") from error


def source_in(features: Any) -> str | None:
    """Returns what the record itself is called, if it says so."""
    values = features[SOURCE].bytes_list.value if SOURCE in features else []
    try:
        return values[0].decode() if len(values) == 1 else None
    except UnicodeDecodeError:
        return None


def label_in(features: Any, label: LabelConfig) -> str:
    """Returns the label as text, several of a list with the separator between them.

    Raises:
        UnusableError: If there is none, or it is of another type than its task's.
    """
    name = label.name
    if label.task == "multilabel" and _values(features, name):
        texts = [
            _text(value, name, "a label is text or whole") for value in _values(features, name)
        ]
        return join_labels(texts, label)
    value = _one(features, name)
    if label.task == "regression" and isinstance(value, float):
        return repr(value)
    return _text(value, name, "a label is text or whole")


def value_in(features: Any, feature: FeatureColumn) -> bytes | str:
    """Returns a picture as bytes, anything else as text; what is missing as empty text.

    Raises:
        UnusableError: If there are several values, one of another type than its
            kind's, or none where the feature must have one.
    """
    name = feature.column
    if feature.missing == "default" and not _values(features, name):
        return ""
    value = _one(features, name)
    if feature.kind == "numeric":
        if isinstance(value, bytes):
            raise UnusableError(f"column {name!r} holds the bytes {value[:20]!r}, no number")
        return "" if math.isnan(value) else repr(value)
    if feature.kind == "categorical":
        return _text(value, name, "a category is text or whole")
    if not isinstance(value, bytes):
        wanted = "encoded picture" if feature.kind == "image" else "text"
        kind = type(value).__name__
        raise UnusableError(f"column {name!r} holds the {kind} {value:g}, no {wanted}")
    return value or "" if feature.kind == "image" else _text(value, name)


def carried_in(features: Any, name: str) -> str:
    """Returns a carried column as text, empty where it is absent."""
    if not _values(features, name):
        return ""
    value = _one(features, name)
    return f"{value:g}" if isinstance(value, float) else _text(value, name)


def _text(value: bytes | int | float, name: str, wanted: str = "") -> str:
    if isinstance(value, float):
        raise UnusableError(f"column {name!r} holds the float {value:g}; {wanted}")
    if isinstance(value, int):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise UnusableError(f"column {name!r} is not UTF-8 text: {value[:20]!r}") from error


def _one(features: Any, name: str) -> Any:
    """Returns the one value of a column: bytes, int or float."""
    values = _values(features, name)
    if len(values) == 1:
        return values[0]
    if values:
        raise UnusableError(f"column {name!r} holds {len(values)} values instead of one")
    if name in features:
        raise UnusableError(f"column {name!r} is empty")
    others = sorted(features)
    named = ", ".join(others[:_NAMED_COLUMNS]) + (", …" if len(others) > _NAMED_COLUMNS else "")
    raise UnusableError(f"there is no column {name!r}, only: {named or 'nothing'}")


def _values(features: Any, name: str) -> Any:
    # Asking for an absent feature would add it.
    kind = features[name].WhichOneof("kind") if name in features else None
    return getattr(features[name], kind).value if kind else ()
