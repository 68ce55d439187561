"""A request to try a server with, made from what the model says of itself."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from preprocessing.config import Feature
from preprocessing.errors import DataError
from preprocessing.model_info import read_model_info

# A grey PNG of one pixel.
_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
)
_VALUES: Mapping[str, Any] = {
    "image": {"b64": _PICTURE},
    "text": "a few words",
    "numeric": 1.0,
    "categorical": "word",
}


def sample_row(features: Mapping[str, Feature]) -> dict[str, Any]:
    """Makes up one row, as REST takes it."""
    return {name: _VALUES[feature.kind] for name, feature in features.items()}


def sample_curl(version: str, url: str) -> str:
    """Writes a command to ask a server with.

    Args:
        version: Folder of a version, or its address.
        url: The model's, such as http://127.0.0.1:8501/v1/models/flowers.

    Returns:
        One that predicts, or for a model that Graft did not export, one that
        asks what it takes.
    """
    try:
        info = read_model_info(version)
    except DataError:
        return shlex.join(["curl", f"{url}/metadata"])
    body = json.dumps({"instances": [sample_row(info.features)]})
    return shlex.join(["curl", "-d", body, f"{url}:predict"])
