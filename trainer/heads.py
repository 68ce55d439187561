"""What stands on the backbones: from feature vectors to logits.

A new kind of head is a function here that takes the same three things.
"""

from collections.abc import Mapping

import tensorflow as tf
import tf_keras

from trainer.config import HeadConfig

# Length of every feature vector inside the head. With a fixed length one
# learning rate suits every backbone; 10 keeps the customary sizes of learning
# rates, and the inputs of a hidden layer from being tiny.
VECTOR_LENGTH = 10.0


class CentredLength(tf_keras.layers.Layer):
    """Subtracts the training mean from a vector, then gives it a fixed length.

    "CL2N" of Wang et al. 2019, SimpleShot (https://arxiv.org/abs/1911.04623).
    A vector that equals the mean stays zero. Until `adapt` is called the mean
    is zero.
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        """Makes the mean, which is exported but not trained."""
        self.mean = self.add_weight(
            name="mean", shape=input_shape[-1:], initializer="zeros", trainable=False
        )

    def adapt(self, mean: tf.Tensor) -> None:
        """Sets the mean of the training vectors, `[width]` float."""
        self.mean.assign(tf.cast(mean, self.mean.dtype))

    def call(self, vectors: tf.Tensor) -> tf.Tensor:
        """Maps `[batch, width]` to the same shape."""
        return VECTOR_LENGTH * tf.math.l2_normalize(vectors - self.mean, axis=-1)


def build_head(
    config: HeadConfig, widths: Mapping[str, int], classes: int, seed: int = 0
) -> tf_keras.Model:
    """Builds a classifier on one or more feature vectors.

    Each feature is centred and brought to the same length by itself, so that
    none drowns the others; then they are concatenated in the order of their
    names. `fit_head` sets the means.

    Args:
        config: Hidden layers and dropout; linear when there is no hidden layer.
        widths: Width of each feature's vector, by name.
        classes: Number of classes.
        seed: Of the initial weights and of dropout.

    Returns:
        A model from `{feature: [batch, width] float32}` to logits
        `[batch, classes]` float32.
    """
    names = sorted(widths)
    inputs = {name: tf_keras.Input([widths[name]], name=name) for name in names}
    parts = [CentredLength(name=layer_name(name))(inputs[name]) for name in names]
    flow = tf_keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    flow = _dropout(flow, config.dropout, seed)
    for index, units in enumerate(config.hidden, start=1):
        # Seeds of their own: two layers with one seed would begin alike.
        initializer = tf_keras.initializers.GlorotUniform(seed + index)
        flow = tf_keras.layers.Dense(
            units, activation="relu", kernel_initializer=initializer, name=f"hidden_{index}"
        )(flow)
        flow = _dropout(flow, config.dropout, seed + index)
    # From zero every class starts equally likely, and nothing is left to chance.
    logits = tf_keras.layers.Dense(classes, kernel_initializer="zeros", name="logits")(flow)
    return tf_keras.Model(inputs, logits, name="head")


def adapt_head(head: tf_keras.Model, means: Mapping[str, tf.Tensor]) -> None:
    """Sets the mean that each feature is centred by.

    Args:
        head: A model of `build_head`; a head without such layers is left alone.
        means: `[width]` float for each feature.
    """
    known = {layer.name: layer for layer in head.layers}
    for name, mean in means.items():
        layer = known.get(layer_name(name))
        if isinstance(layer, CentredLength):
            layer.adapt(mean)


def layer_name(feature: str) -> str:
    """Names the layer that centres a feature."""
    return f"{feature}_centred"


def _dropout(flow: tf.Tensor, rate: float, seed: int) -> tf.Tensor:
    return tf_keras.layers.Dropout(rate, seed=seed)(flow) if rate else flow
