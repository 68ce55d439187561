"""How long the vectors of a SavedModel are, where it is not said by running it once."""

from pathlib import Path

import tensorflow as tf

from preprocessing.errors import BackboneError, explain
from trainer.backbones.saved_call import Call


def feature_width(call: Call, folder: Path, example: tf.Tensor, origin: str) -> int:
    """Finds the length of the vectors that a call gives.

    Args:
        call: The call, with one input and one output.
        folder: The SavedModel, which is loaded only if the call leaves it open.
        example: What the call takes, a batch of one.
        origin: How the user knows it, for messages.

    Returns:
        The length.

    Raises:
        BackboneError: If it gives no vectors.
    """
    import tensorflow_hub as hub

    if call.output.shape and call.output.shape[-1] is not None:
        return call.output.shape[-1]
    loaded = hub.load(str(folder))
    shape = call.of(loaded)(example).shape
    if shape.rank != 2:
        what = f"The model gives {shape} for one example, not one vector."
        raise BackboneError(explain(what, origin))
    return int(shape[1])
