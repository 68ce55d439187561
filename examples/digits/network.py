"""The demo backbone's network: as it is trained, and as it is shipped.

Trained with batch normalisation, shipped with it folded into the weights: a
plain function of its input, the same in training and inference mode.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from drawing import SIDE

FEATURE_WIDTH = 128

# Filters, kernel side, stride, and whether the result is halved by pooling.
LAYERS = (
    (32, 5, 2, False),
    (32, 3, 1, True),
    (64, 3, 1, False),
    (64, 3, 1, True),
    (96, 3, 1, False),
)


def build_network(classes: int) -> tf_keras.Sequential:
    """Builds the network to be trained, about 0.3 M parameters.

    Args:
        classes: How many letters to tell apart.

    Returns:
        A model from [batch, SIDE, SIDE, 3] float32 in [0, 1] to [batch, classes]
        logits; the feature vector is what enters its last layer.
    """
    layers: list[tf_keras.layers.Layer] = [tf_keras.layers.Lambda(grey)]
    for filters, kernel, stride, pooled in LAYERS:
        layers.append(
            tf_keras.layers.Conv2D(
                filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal"
            )
        )
        layers += [tf_keras.layers.BatchNormalization(momentum=0.95), tf_keras.layers.ReLU()]
        if pooled:
            layers.append(tf_keras.layers.MaxPool2D())
    layers += [
        tf_keras.layers.Flatten(),
        tf_keras.layers.Dropout(0.1),
        tf_keras.layers.Dense(FEATURE_WIDTH, use_bias=False),
        tf_keras.layers.BatchNormalization(momentum=0.95),
        tf_keras.layers.ReLU(),
        tf_keras.layers.Dense(classes),
    ]
    network = tf_keras.Sequential(layers)
    network.build([None, SIDE, SIDE, 3])
    return network


def grey(images: tf.Tensor) -> tf.Tensor:
    """Averages the channels of [batch, height, width, 3]; colour is not used."""
    return 2.0 * tf.reduce_mean(images, axis=-1, keepdims=True)


class FeatureVector(tf.train.Checkpoint):
    """The network without its classifier, in TF2 Hub's reusable format.

    Interface: https://www.tensorflow.org/hub/reusable_saved_models and
    https://www.tensorflow.org/hub/common_signatures/images#feature-vector
    """

    def __init__(self, network: tf_keras.Sequential) -> None:
        super().__init__()
        folded = fold(network)
        self.kernels = [tf.Variable(kernel, name="kernel") for kernel, _ in folded]
        self.biases = [tf.Variable(bias, name="bias") for _, bias in folded]
        self.variables = [*self.kernels, *self.biases]
        self.trainable_variables = self.variables
        self.regularization_losses: list = []

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32, "inputs")])
    def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
        """Turns [batch, SIDE, SIDE, 3] float32 in [0, 1] into [batch, FEATURE_WIDTH]."""
        x = grey(inputs)
        for (_, _, stride, pooled), kernel, bias in zip(
            LAYERS, self.kernels, self.biases, strict=False
        ):
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, stride, "SAME") + bias)
            if pooled:
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.reshape(x, [-1, self.kernels[-1].shape[0]])
        return tf.nn.relu(x @ self.kernels[-1] + self.biases[-1])


def fold(network: tf_keras.Sequential) -> list[tuple[np.ndarray, np.ndarray]]:
    """Multiplies each batch normalisation into the weights before it.

    Args:
        network: As `build_network` gives it.

    Returns:
        Kernel and bias of each layer up to the feature vector.
    """
    kernels, norms = [], []
    for layer in network.layers[:-1]:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            norms.append(layer)
        elif layer.weights:
            kernels.append(layer.kernel.numpy())
    folded = []
    for kernel, norm in zip(kernels, norms, strict=True):
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        folded.append((kernel * scale, beta - mean * scale))
    return folded


def write_backbone(backbone: FeatureVector, folder: Path) -> None:
    """Writes the SavedModel, its serving signature beside its `__call__`.

    Args:
        backbone: What to write.
        folder: Where; what is there is written over.
    """

    @tf.function(input_signature=backbone.__call__.input_signature)
    def serve(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"feature_vector": backbone(inputs)}

    tf.saved_model.save(backbone, str(folder), signatures={"serving_default": serve})
