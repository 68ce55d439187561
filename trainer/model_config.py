"""What model is made and how, as it crosses TFX."""

from preprocessing.config import Feature, LabelConfig, Record
from trainer.backbones.record import Backbone
from trainer.config import TrainConfig


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


class RunConfig(ModelConfig):
    """What the Trainer must know beside it: how to train."""

    train: TrainConfig
