"""A head of your own: how much a picture and a text each count, decided for every example.

`gated.yaml` beside this file uses it. Graft calls the function that
`train.head.function` names with the head's inputs and the number of logits, and
with `train.head.arguments` by name.
"""

from collections.abc import Mapping

import tensorflow as tf
import tf_keras

from trainer.head_inputs import HeadInput
from trainer.heads import scaled_inputs


def build(
    inputs: Mapping[str, HeadInput], units: int, width: int = 64, dropout: float = 0.2
) -> tf_keras.Model:
    """Fuses the features by gates, then refines the sum by a residual layer.

    Every feature is projected to the same width. A softmax over all of them
    says how much each counts in this very example (gated fusion, Arevalo et al.
    2017, https://arxiv.org/abs/1702.01992).

    Args:
        inputs: Kind and width of each feature, by name.
        units: Number of logits.
        width: Of the projections.
        dropout: Share of the fused vector that is dropped in training.

    Returns:
        A model from `{name: [batch, width] float32}` to `[batch, units]`.
    """
    given, parts = scaled_inputs(inputs)
    together = tf_keras.layers.Concatenate()(list(parts.values()))
    gates = tf_keras.layers.Dense(len(parts), activation="softmax", name="gates")(together)
    projected = [
        tf_keras.layers.Dense(width, activation="tanh", name=f"{name}_projected")(part)
        for name, part in parts.items()
    ]
    fused = tf.reduce_sum(tf.stack(projected, axis=1) * gates[..., tf.newaxis], axis=1)
    fused = tf_keras.layers.Dropout(dropout)(fused)
    refined = fused + tf_keras.layers.Dense(width, activation="relu", name="residual")(fused)
    # A plain path from the features, so that the gates can only add to it.
    linear = tf_keras.layers.Dense(units, kernel_initializer="zeros", name="linear")(together)
    return tf_keras.Model(given, linear + tf_keras.layers.Dense(units, name="logits")(refined))
