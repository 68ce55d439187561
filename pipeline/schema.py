"""The data's schema, written from the config before anything is read.

A picture is declared as one (`image_domain`), so that nothing takes its bytes
for text, and the label is not expected when the model serves.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from preprocessing.config import Feature

SERVING = "SERVING"


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
        if feature.kind == "image":
            _add_image(schema, name)
        elif feature.kind == "numeric":
            _add(schema, name, schema_pb2.FLOAT)
        else:
            _add(schema, name, schema_pb2.BYTES)
    for name in (label, "source", *carried):
        _add(schema, name, schema_pb2.BYTES).not_in_environment.append(SERVING)
    return schema


def _add_image(schema: schema_pb2.Schema, name: str) -> None:
    """Adds a picture and the columns that ingest derives from it."""
    _add(schema, name, schema_pb2.BYTES).image_domain.SetInParent()
    for suffix in ("width", "height", "bytes"):
        column = _add(schema, f"{name}_{suffix}", schema_pb2.INT)
        column.int_domain.min = 0
        column.not_in_environment.append(SERVING)
    _add(schema, f"{name}_format", schema_pb2.BYTES).not_in_environment.append(SERVING)


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
