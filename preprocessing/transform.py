"""The preprocessing function that Transform analyses and writes as a graph.

Each feature kind adds its part here, from a module of its own beside this one.
"""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from preprocessing.config import Record
from preprocessing.image import ImageInput, prepare_images

LABEL_VOCABULARY = "label"


class TransformConfig(Record):
    """What Transform must know of the run; crosses TFX as JSON."""

    images: dict[str, ImageInput]
    label: str


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Maps raw columns to model inputs.

    Only the label is analysed (its vocabulary), so that no picture is decoded
    while Transform runs; the pictures' part of the graph is written and run
    later, by whoever needs pixels.

    Args:
        inputs: For each image feature `[batch]` string of encoded bytes; the
            label, `[batch]` string.
        custom_config: `{"transform": TransformConfig as a dict}`.

    Returns:
        For each image feature `[batch, height, width, 3]` float32 in its
        backbone's range; under the label's name `[batch]` int64, the index in
        the label vocabulary, -1 for a label that training has not seen.
    """
    config = TransformConfig.model_validate(custom_config["transform"])
    outputs = {name: prepare_images(inputs[name], wanted) for name, wanted in config.images.items()}
    outputs[config.label] = tft.compute_and_apply_vocabulary(
        inputs[config.label], vocab_filename=LABEL_VOCABULARY
    )
    return outputs
