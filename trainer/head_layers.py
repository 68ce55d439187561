"""Layers with statistics of the training examples: exported with a head, never trained."""

import numpy as np
import tensorflow as tf
import tf_keras

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
    length changes. `adapt_head` (heads.py) finds it by its name, `<feature>_normalised`.
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        """Makes the statistics."""
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


class LabelUnit(tf_keras.layers.Layer):
    """Ends a head that predicts a number: from standard deviations to the label's own unit.

    So the layers before it learn numbers of customary size, whatever the unit.
    """

    def __init__(self, mean: float, deviation: float, name: str = "label_unit") -> None:
        """Takes the mean and the deviation of the training labels."""
        super().__init__(name=name, trainable=False)
        self._initial = mean, deviation

    def build(self, input_shape: tf.TensorShape) -> None:
        """Makes the statistics."""
        for name, value in zip(("mean", "deviation"), self._initial, strict=True):
            initializer = tf_keras.initializers.Constant(value)
            setattr(self, name, self.add_weight(name, [], initializer=initializer))
        super().build(input_shape)

    def call(self, outputs: tf.Tensor) -> tf.Tensor:
        """Maps `[batch, 1]` to the same shape."""
        return outputs * self.deviation + self.mean
