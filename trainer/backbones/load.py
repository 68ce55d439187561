"""Loads a vendored backbone, offline; kinds.py says which module does it."""

from pathlib import Path

from preprocessing.errors import BackboneError, explain
from preprocessing.keras_mode import check_legacy_keras
from trainer.backbones.fetch import bring_here
from trainer.backbones.kinds import KINDS
from trainer.backbones.module import BackboneModule
from trainer.backbones.record import Backbone
from trainer.backbones.store import content_digest, files_below


def load(backbone: Backbone, dtype: str = "float32") -> BackboneModule:
    """Loads a backbone after reading its content once to verify it.

    Args:
        backbone: The record that vendoring gave; what lies at an address is copied
            here once.
        dtype: Of its arithmetic, such as bfloat16; its variables are float32
            all the same. A hub: module computes as it was saved.

    Returns:
        The backbone, called with [batch, height, width, 3] float32 pictures in
        its input range or with [batch] strings, giving [batch, feature_width],
        in inference mode, and trackable by tf.saved_model.save.

    Raises:
        UsageError: If this process does not run on Keras 2.
        BackboneError: If the content is missing or is not what was vendored.
    """
    check_legacy_keras()
    backbone = bring_here(backbone)
    found = content_digest(files_below(Path(backbone.path)))
    if found != backbone.digest:
        raise BackboneError(
            explain(
                f"The vendored copy of {backbone.handle!r} is missing or was changed: expected "
                f"{backbone.digest}, found {found}. Run `graft run` again to vendor it anew.",
                backbone.path,
            )
        )
    return KINDS[backbone.kind].load(backbone, dtype)
