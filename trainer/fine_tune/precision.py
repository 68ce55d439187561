"""Backbones that compute in half the bits while they are trained, and not after.

Weights are float32 all the time, and so are vectors, logits and losses.
"""

from absl import logging

from trainer.features import FeatureExtractor
from trainer.model_config import ModelConfig

# Kinds whose arithmetic is part of what was saved.
_AS_SAVED = ("hub",)


def load_tunable(transform_graph: str, config: ModelConfig, precision: str) -> FeatureExtractor:
    """Loads an extractor that may be changed.

    Args:
        transform_graph: Folder of Transform's output artifact.
        config: Features and their vendored backbones.
        precision: Of the backbones' arithmetic.

    Returns:
        The extractor, which nobody else has.
    """
    if precision != "float32":
        for name, backbone in config.backbones.items():
            if backbone.kind in _AS_SAVED:
                logging.warning(
                    "The backbone of %r computes as it was saved and not in %s: a %s: module's "
                    "arithmetic is part of its graph",
                    name,
                    precision,
                    backbone.kind,
                )
    return FeatureExtractor(transform_graph, config, precision)


def to_float32(tuned: FeatureExtractor, transform_graph: str, precision: str) -> FeatureExtractor:
    """Gives an extractor that computes in float32 with the weights of a tuned one.

    Args:
        tuned: From `load_tunable`, trained.
        transform_graph: As given there.
        precision: The same.

    Returns:
        The extractor to export; `tuned` itself if it computes in float32.
    """
    if precision == "float32":
        return tuned
    plain = FeatureExtractor(transform_graph, tuned.config)
    for name, backbone in plain.backbones.items():
        for ours, theirs in zip(backbone.layers, tuned.backbones[name].layers, strict=True):
            for variable, trained in zip(ours, theirs, strict=True):
                variable.assign(trained)
    return plain
