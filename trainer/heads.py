"""What stands on the backbones: from the features to logits.

Linear or an MLP; a head of the user's own is called by bespoke.py and takes
its inputs from `scaled_inputs` here, as these do.
"""

import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from preprocessing.config import missing_name
from trainer.bespoke import call_function
from trainer.config import HeadConfig
from trainer.head_inputs import HeadInput
from trainer.head_layers import VECTOR_LENGTH, LabelUnit, NormalisedVector

__all__ = ["VECTOR_LENGTH", "NormalisedVector", "adapt_head", "build_head", "scaled_inputs"]

# A number further from the mean, in deviations, counts as one that far: a price
# a hundred times the usual one must not decide a step of the training by itself.
MAX_DEVIATIONS = 3.0


def build_head(
    config: HeadConfig,
    inputs: Mapping[str, HeadInput],
    units: int,
    seed: int = 0,
    label_unit: tuple[float, float] | None = None,
) -> tf_keras.Model:
    """Builds what maps the features to logits.

    Args:
        config: Hidden layers and dropout, linear when there is no hidden layer;
            or the user's own function.
        inputs: What the head gets, by name.
        units: Number of logits.
        seed: Of the initial weights and of dropout.
        label_unit: Numbers: mean and deviation of the training labels, see
            `Task.label_unit`.

    Returns:
        A model from `{name: [batch, width] float32}` to logits
        `[batch, units]` float32. `fit_head` sets its statistics.

    Raises:
        ConfigError: If the user's own function cannot be found or called, or
            what it returns does not fit.
    """
    if config.function is not None:
        given, logits = call_function(config, inputs, units, seed)
    else:
        given, parts = scaled_inputs(inputs)
        logits = _mlp(list(parts.values()), config, units, seed)
    if label_unit is not None:
        logits = LabelUnit(*label_unit)(logits)
    return tf_keras.Model(given, logits, name="head")


def scaled_inputs(
    inputs: Mapping[str, HeadInput],
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Makes a head's inputs, and scales each so that none drowns the others.

    A vector is normalised by itself to `VECTOR_LENGTH`, and is zero where it is
    missing. All numbers, categories and indicators together weigh about as
    much as one vector: each is multiplied by `VECTOR_LENGTH` over the root of
    how many there are. An L2 penalty is why this matters: of a category of
    length 1 beside vectors of length 10 a head made little use (0.32 of 0.91
    right where it alone decided), and thirteen numbers of length 10 each were
    too long for the learning rate (0.935 on scikit-learn's wines; 0.986 so).

    Args:
        inputs: What the head gets, by name.

    Returns:
        The Keras inputs, and the same scaled, `[batch, width]` float32, both by
        name in the order of the names.
    """
    names = sorted(inputs)
    given = {name: tf_keras.Input([inputs[name].width], name=name) for name in names}
    others = sum(one.kind != "vector" for one in inputs.values())
    scale = VECTOR_LENGTH / math.sqrt(max(1, others))
    parts = {}
    for name in names:
        if inputs[name].kind == "vector":
            vector = NormalisedVector(name=layer_name(name))(given[name])
            indicator = given.get(missing_name(name))
            parts[name] = vector if indicator is None else vector * (1 - indicator)
        else:
            parts[name] = scale * tf.clip_by_value(given[name], -MAX_DEVIATIONS, MAX_DEVIATIONS)
    return given, parts


def _mlp(parts: list[tf.Tensor], config: HeadConfig, units: int, seed: int) -> tf.Tensor:
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
    return tf_keras.layers.Dense(units, kernel_initializer="zeros", name="logits")(flow)


def adapt_head(
    head: tf_keras.Model, means: Mapping[str, np.ndarray], variances: Mapping[str, np.ndarray]
) -> None:
    """Sets the statistics that each feature is normalised by.

    Args:
        head: A model of `build_head`. Layers are found however deep they lie in
            a head of the user's own; one without such layers is left alone.
        means: `[width]` float for each feature.
        variances: The same.
    """
    names = {layer_name(name): name for name in means}
    for layer in head.submodules:
        if isinstance(layer, NormalisedVector) and layer.name in names:
            name = names[layer.name]
            layer.adapt(means[name], variances[name])


def layer_name(feature: str) -> str:
    """Names the layer that normalises a feature."""
    return f"{feature}_normalised"


def _dropout(flow: tf.Tensor, rate: float, seed: int) -> tf.Tensor:
    return tf_keras.layers.Dropout(rate, seed=seed)(flow) if rate else flow
