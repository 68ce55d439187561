"""What of a loaded SavedModel can be trained, by layer.

Follows the interface of reusable SavedModels: `variables` and
`trainable_variables` are lists on the object, and without them nothing can be
trained. https://www.tensorflow.org/hub/reusable_saved_models
"""

import itertools
import re
from typing import Any

import tensorflow as tf

# One block of a transformer or a residual network, such as layer_0, layer_._0, block1.
_BLOCK = re.compile(r"(.*?/)?(layer|block|stage)[_.]*\d+(?=/)")


def variables_of(loaded: Any) -> list[tf.Variable]:
    """Lists the variables of a loaded SavedModel, none if it names none."""
    return list(getattr(loaded, "variables", ()))


def trainable_layers(loaded: Any) -> list[list[tf.Variable]]:
    """Groups what can be trained.

    Args:
        loaded: What hub.load gave.

    Returns:
        Trainable variables in the module's own order, which Keras makes run
        from the input to the output: one entry for each numbered block where
        names have them, otherwise for each layer. Empty if there are none.
    """
    trainable = getattr(loaded, "trainable_variables", ())
    return [list(group) for _, group in itertools.groupby(trainable, lambda one: _layer(one.name))]


def _layer(name: str) -> str:
    """Names the block or layer that a variable is part of."""
    block = _BLOCK.match(name)
    return block[0] if block else name.rpartition("/")[0] or name
