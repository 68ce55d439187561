"""What model is made, as it crosses TFX: features, backbones, label."""

from preprocessing.config import Feature, LabelConfig, Record
from trainer.backbones.record import Backbone


class ModelConfig(Record):
    """What the Embedder and the Trainer both must know.

    Attributes:
        features: As the user wrote them, by name.
        backbones: The vendored backbone of each feature that has one.
        label: As the user wrote it.
    """

    features: dict[str, Feature]
    backbones: dict[str, Backbone]
    label: LabelConfig
