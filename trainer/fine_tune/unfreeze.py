"""Which of the backbones' variables are trained."""

from collections.abc import Mapping

import tensorflow as tf

from preprocessing.errors import ConfigError, explain
from trainer.backbones.module import BackboneModule
from trainer.config import LastLayers


def choose_variables(
    backbones: Mapping[str, BackboneModule], unfreeze: str | LastLayers
) -> list[tf.Variable]:
    """Chooses from the end of each backbone that has layers; others stay frozen.

    Args:
        backbones: By feature; two features may share one.
        unfreeze: All layers, or how many of the last ones.

    Returns:
        The variables, each once.

    Raises:
        ConfigError: If no backbone has anything to train, or one has fewer
            layers than are asked for.
    """
    trainable = {name: one for name, one in backbones.items() if any(one.layers)}
    if not trainable:
        raise ConfigError(
            explain(
                "train.mode: fine_tune needs a backbone whose variables can be trained, and none "
                "of these has any. Take another backbone, or train.mode: frozen.",
                ", ".join(sorted(backbones)) or "no image and no text",
            )
        )
    chosen: dict[int, tf.Variable] = {}
    for name, backbone in trainable.items():
        layers = backbone.layers
        if isinstance(unfreeze, LastLayers):
            if unfreeze.last > len(layers):
                raise ConfigError(
                    explain(
                        f"train.fine_tune.unfreeze.last is more than the backbone of {name!r} has: "
                        f"{len(layers)} layers.",
                        unfreeze.last,
                        ("all", f"1 to {len(layers)}"),
                    )
                )
            layers = layers[-unfreeze.last :]
        chosen |= {id(variable): variable for layer in layers for variable in layer}
    return list(chosen.values())
