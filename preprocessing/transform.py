"""The preprocessing function that Transform analyses and writes as a graph.

What it does with a feature is in the module of the feature's kind (kinds.py),
what with the label in label.py.
"""

from typing import Any

import tensorflow as tf

from preprocessing.config import Feature, LabelConfig, Record
from preprocessing.inputs import ImageInput
from preprocessing.kinds import add_feature
from preprocessing.label import LABELS


class TransformConfig(Record):
    """What Transform must know of the run; crosses TFX as JSON.

    Attributes:
        features: As the user wrote them, by name.
        images: Size and range of each picture.
        label: As the user wrote it.
    """

    features: dict[str, Feature]
    images: dict[str, ImageInput]
    label: LabelConfig


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Maps raw columns to model inputs.

    Args:
        inputs: Each feature's column and the label's, `[batch]`.
        custom_config: `{"transform": TransformConfig as a dict}`.

    Returns:
        What each feature's kind gives, and under the label's name what its
        task gives.
    """
    config = TransformConfig.model_validate(custom_config["transform"])
    outputs: dict[str, tf.Tensor] = {}
    for name, feature in config.features.items():
        outputs |= add_feature(name, inputs[name], feature, config.images.get(name))
    outputs[config.label.name] = LABELS[config.label.task](inputs[config.label.name], config.label)
    return outputs
