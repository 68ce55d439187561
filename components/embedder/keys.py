"""Under which key a vector is kept: SHA-256 of what it was made of."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from components.embedder.store.segment import KEY_BYTES


def content_keys(contents: Iterable[bytes]) -> np.ndarray:
    """Digests contents.

    Args:
        contents: Pictures or texts as they lie in the column.

    Returns:
        `[contents, 32]` uint8.
    """
    return _as_array(hashlib.sha256(one).digest() for one in contents)


def view_keys(keys: np.ndarray, seeds: np.ndarray, how: Mapping[str, Any]) -> np.ndarray:
    """Digests what augmented views are made of.

    Args:
        keys: Of the pictures, `[pictures, 32]` uint8.
        seeds: Of their views, `[pictures, …]` integers.
        how: How they are augmented, as JSON can hold it.

    Returns:
        `[pictures, 32]` uint8.
    """
    start = hashlib.sha256(json.dumps(how, sort_keys=True).encode()).digest()
    pairs = zip(keys, seeds.astype("<i8"), strict=True)
    return _as_array(
        hashlib.sha256(start + key.tobytes() + seed.tobytes()).digest() for key, seed in pairs
    )


def _as_array(digests: Iterable[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, KEY_BYTES)
