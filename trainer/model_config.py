"""What model is made and how, as it crosses TFX."""

from preprocessing.config import Feature, LabelConfig, Record
from trainer.backbones.record import Backbone
from trainer.config import AugmentConfig, TrainConfig


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

    @property
    def model(self) -> "ModelConfig":
        """This much of a record that knows more."""
        return ModelConfig(features=self.features, backbones=self.backbones, label=self.label)


class EmbedConfig(ModelConfig):
    """What the Embedder must know beside it: how augmented views are made.

    Without views these are the defaults, so that nothing is embedded anew
    because of what it does not depend on.
    """

    augment: AugmentConfig = AugmentConfig()
    seed: int = 0


class RunConfig(ModelConfig):
    """What the Trainer must know beside it: how to train.

    Attributes:
        train: As the user wrote it.
        tensors: Whether the model gets the signatures that exports are made
            from (tensor_signatures.py).
        bulk: Whether it gets the one that TFX's BulkInferrer takes.
    """

    train: TrainConfig
    tensors: bool = False
    bulk: bool = False
