"""Brings a vendored backbone from an address to where modules can be loaded from.

A task on a platform finds backbones at the address that the compiled pipeline
names; TensorFlow Hub, transformers and Keras read files.
"""

import posixpath
import tempfile
from pathlib import Path

import tensorflow as tf

from preprocessing.errors import BackboneError, explain
from trainer.backbones.record import Backbone
from trainer.backbones.store import entry, is_intact, publish, staging

# By digest, so that the tasks of one machine share it.
FOLDER = "graft-backbones"


def bring_here(backbone: Backbone) -> Backbone:
    """Copies the content to this machine, unless it is here.

    Args:
        backbone: With a path or an address such as gs://bucket/backbones/….

    Returns:
        The same with a path. The content is what was at the address; `load` looks
        whether it is what it should be.

    Raises:
        BackboneError: If nothing is at the address, or it cannot be read.
    """
    if "://" not in backbone.path:
        return backbone
    store = Path(tempfile.gettempdir()) / FOLDER
    here = entry(store, backbone.digest)
    if not is_intact(store, backbone.digest):
        with staging(store) as folder:
            staged = folder / "content"
            try:
                copied = _copy(backbone.path, staged)
            except tf.errors.OpError as error:
                what = f"The backbone {backbone.handle!r} cannot be read: {error.message}"
                raise BackboneError(explain(what, backbone.path)) from error
            if not copied:
                what = (
                    f"The backbone {backbone.handle!r} is not where the pipeline was compiled to "
                    "find it. `graft submit` puts it there before it starts a run"
                )
                raise BackboneError(explain(what, backbone.path, see="docs/deploy.md"))
            publish(store, staged, backbone.digest)
    return backbone.model_copy(update={"path": str(here)})


def _copy(address: str, folder: Path) -> int:
    """Copies all files below an address; gives their number."""
    copied = 0
    for parent, _, names in tf.io.gfile.walk(address):
        below = folder / posixpath.relpath(parent, address)
        below.mkdir(parents=True, exist_ok=True)
        for name in names:
            tf.io.gfile.copy(posixpath.join(parent, name), str(below / name))
            copied += 1
    return copied
