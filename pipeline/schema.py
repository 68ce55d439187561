"""The data's schema, written from the config before anything is read.

A picture is declared as one (`image_domain`), so that nothing takes its bytes
for text, and the label is not expected when the model serves. A missing value is
an empty text or NaN, so that every column is always there.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_gen.config import derived_columns
from preprocessing.config import Feature

SERVING = "SERVING"

_TYPES = {"numeric": schema_pb2.FLOAT}


def build_schema(
    features: Mapping[str, Feature], label: str, carried: Sequence[str] = ()
) -> schema_pb2.Schema:
    """Builds the schema of the examples that every source gives.

    Args:
        features: As the user wrote them, by name.
        label: Name of the label's column.
        carried: Further columns of text, which slices group by.

    Returns:
        The schema; every feature is required and holds one value.
    """
    schema = schema_pb2.Schema(default_environment=["TRAINING", SERVING])
    for name, feature in features.items():
        column = _add(schema, name, _TYPES.get(feature.kind, schema_pb2.BYTES))
        if feature.kind == "image":
            column.image_domain.SetInParent()
        for derived in derived_columns(name, feature.kind):
            _add_derived(schema, derived)
    for name in (label, "source", *carried):
        _add(schema, name, schema_pb2.BYTES).not_in_environment.append(SERVING)
    return schema


def _add_derived(schema: schema_pb2.Schema, name: str) -> None:
    """Adds a column that ingest makes of a feature: a count, or the format's name."""
    if name.endswith("_format"):
        column = _add(schema, name, schema_pb2.BYTES)
    else:
        column = _add(schema, name, schema_pb2.INT)
        column.int_domain.min = 0
    column.not_in_environment.append(SERVING)


def write_schema(schema: schema_pb2.Schema, folder: Path) -> Path:
    """Writes the schema under a name that its content decides.

    Args:
        schema: The schema.
        folder: Where schemas are kept.

    Returns:
        The file; another schema gives another name, which TFX's cache sees.
    """
    text = text_format.MessageToString(schema)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = folder / name / "schema.pbtxt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _add(
    schema: schema_pb2.Schema, name: str, kind: "schema_pb2.FeatureType"
) -> "schema_pb2.Feature":
    feature = schema.feature.add(name=name, type=kind)
    feature.presence.min_fraction = 1.0
    feature.presence.min_count = 1
    feature.shape.SetInParent()
    return feature
