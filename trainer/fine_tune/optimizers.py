"""AdamW with warm-up and cosine decay, one for each learning rate."""

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from trainer.config import FineTuneConfig


def build_optimizer(
    learning_rate: float, variables: Sequence[tf.Variable], config: FineTuneConfig, steps: int
) -> tf_keras.optimizers.Optimizer:
    """Builds an optimizer for some of the variables.

    The learning rate rises in a straight line during warm-up and falls to zero
    along a cosine (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983).
    Weight decay is decoupled (https://arxiv.org/abs/1711.05101) and spares
    biases and the scales of norms, that is everything with fewer than two
    dimensions.

    Args:
        learning_rate: At its highest.
        variables: What it trains.
        config: Warm-up, decay, precision.
        steps: Of the whole training.

    Returns:
        The optimizer, scaling its loss where float16 would lose small gradients.
    """
    warmup = round(config.warmup * steps)
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else learning_rate,
        max(1, steps - warmup),
        warmup_target=learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = tf_keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(
        var_list=[variable for variable in variables if variable.shape.rank < 2]
    )
    if config.precision == "float16":
        optimizer = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(list(variables))
    return optimizer
