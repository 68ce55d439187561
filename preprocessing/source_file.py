"""How vectors lead back to the raw examples that they were made of.

The Embedder leaves a note in its artifact, for what trains on both.
"""

import json
import posixpath
from collections.abc import Sequence

import tensorflow as tf

_NAME = "source.json"


def write_source(embeddings: str, examples: str) -> None:
    """Notes in an artifact's folder where the examples of its vectors lie.

    Args:
        embeddings: Folder of the vectors' artifact.
        examples: Folder of the examples' artifact.
    """
    with tf.io.gfile.GFile(posixpath.join(embeddings, _NAME), "w") as file:
        file.write(json.dumps({"examples": examples}))


def raw_patterns(patterns: Sequence[str]) -> list[str]:
    """Finds the raw examples of some files of vectors.

    Args:
        patterns: As TFX gives them: `<artifact>/Split-<name>/*`.

    Returns:
        The same splits' patterns in the examples' artifact.
    """
    found = []
    for pattern in patterns:
        folder, split, files = pattern.rsplit("/", 2)
        with tf.io.gfile.GFile(posixpath.join(folder, _NAME)) as file:
            found.append(posixpath.join(json.load(file)["examples"], split, files))
    return found
