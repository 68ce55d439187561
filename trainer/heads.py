"""What stands on the backbones: from feature vectors to logits.

A new kind of head is a function here that takes the same three things.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from preprocessing.kinds import missing_name
from trainer.config import HeadConfig
from trainer.head_inputs import HeadInput

# Length of every feature vector inside the head. With a fixed length one
# learning rate suits every backbone; 10 keeps the customary sizes of learning
# rates, and the inputs of a hidden layer from being tiny.
VECTOR_LENGTH = 10.0
# Added to each dimension's variance, as a share of their average.
VARIANCE_FLOOR = 1e-3


class NormalisedVector(tf_keras.layers.Layer):
    """Centres a vector, evens out its dimensions and gives it a fixed length.

    Centring and a fixed length are "CL2N" of Wang et al. 2019, SimpleShot
    (https://arxiv.org/abs/1911.04623). In between each dimension is divided by
    the root of its deviation: dividing by the deviation itself inflates
    dimensions that hardly vary, not dividing leaves a few to decide alone.

    A vector that equals the mean stays zero. Until `adapt` is called only the
    length changes.
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        """Makes the statistics, which are exported but not trained."""
        shape = input_shape[-1:]
        self.mean = self.add_weight("mean", shape, initializer="zeros", trainable=False)
        self.scale = self.add_weight("scale", shape, initializer="ones", trainable=False)
        super().build(input_shape)

    def adapt(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Sets the statistics of the training vectors, each `[width]` float.

        A dimension that never varies counts as one that varies a little.
        """
        floor = VARIANCE_FLOOR * variance.mean()
        self.mean.assign(mean)
        self.scale.assign((variance + floor) ** -0.25 if floor else np.ones_like(variance))

    def call(self, vectors: tf.Tensor) -> tf.Tensor:
        """Maps `[batch, width]` to the same shape."""
        return VECTOR_LENGTH * tf.math.l2_normalize((vectors - self.mean) * self.scale, axis=-1)


def build_head(
    config: HeadConfig, inputs: Mapping[str, HeadInput], units: int, seed: int = 0
) -> tf_keras.Model:
    """Builds what maps the features to logits.

    Each feature vector is normalised by itself, so that none drowns the others;
    then all are concatenated in the order of their names. `fit_head` sets the
    statistics. A missing vector is zero after that, too.

    Args:
        config: Hidden layers and dropout; linear when there is no hidden layer.
        inputs: What the head gets, by name.
        units: Number of logits.
        seed: Of the initial weights and of dropout.

    Returns:
        A model from `{name: [batch, width] float32}` to logits
        `[batch, units]` float32.
    """
    names = sorted(inputs)
    given = {name: tf_keras.Input([inputs[name].width], name=name) for name in names}
    parts = [_part(name, given, inputs) for name in names]
    flow = tf_keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    flow = _dropout(flow, config.dropout, seed)
    for index, width in enumerate(config.hidden, start=1):
        # Seeds of their own: two layers with one seed would begin alike.
        initializer = tf_keras.initializers.GlorotUniform(seed + index)
        flow = tf_keras.layers.Dense(
            width, activation="relu", kernel_initializer=initializer, name=f"hidden_{index}"
        )(flow)
        flow = _dropout(flow, config.dropout, seed + index)
    # From zero every class starts equally likely, and nothing is left to chance.
    logits = tf_keras.layers.Dense(units, kernel_initializer="zeros", name="logits")(flow)
    return tf_keras.Model(given, logits, name="head")


def _part(name: str, given: Mapping[str, tf.Tensor], inputs: Mapping[str, HeadInput]) -> tf.Tensor:
    """One feature as it stands among the others."""
    if inputs[name].kind != "vector":
        return given[name]
    vector = NormalisedVector(name=layer_name(name))(given[name])
    indicator = given.get(missing_name(name))
    return vector if indicator is None else vector * (1 - indicator)


def adapt_head(
    head: tf_keras.Model, means: Mapping[str, np.ndarray], variances: Mapping[str, np.ndarray]
) -> None:
    """Sets the statistics that each feature is normalised by.

    Args:
        head: A model of `build_head`; a head without such layers is left alone.
        means: `[width]` float for each feature.
        variances: The same.
    """
    known = {layer.name: layer for layer in head.layers}
    for name in means:
        layer = known.get(layer_name(name))
        if isinstance(layer, NormalisedVector):
            layer.adapt(means[name], variances[name])


def layer_name(feature: str) -> str:
    """Names the layer that normalises a feature."""
    return f"{feature}_normalised"


def _dropout(flow: tf.Tensor, rate: float, seed: int) -> tf.Tensor:
    return tf_keras.layers.Dropout(rate, seed=seed)(flow) if rate else flow
