"""Cross entropies that the tasks share; focal as asked.

With `focal_gamma` a term counts less the surer the model is of it already (Lin
et al. 2017, https://arxiv.org/abs/1708.02002); with 0 it is plain cross entropy.
"""

import tensorflow as tf

from trainer.config import LossConfig

# Where the model is all but certain: the derivative of a small power ends there.
_CERTAIN = 1e-6


def softmax_loss(targets: tf.Tensor, logits: tf.Tensor, config: LossConfig) -> tf.Tensor:
    """Cross entropy of classes that exclude one another.

    Args:
        targets: `[batch, classes]` float32, 0 or 1.
        logits: The same shape.
        config: Smoothing and focal loss.

    Returns:
        `[batch]` float32, in nats.
    """
    share = config.label_smoothing
    targets = targets * (1 - share) + share / targets.shape[-1]
    terms = _focal(tf.nn.log_softmax(logits), config.focal_gamma)
    return -tf.reduce_sum(targets * terms, axis=-1)


def sigmoid_loss(targets: tf.Tensor, logits: tf.Tensor, config: LossConfig) -> tf.Tensor:
    """Cross entropy of each output by itself.

    Args:
        targets: `[batch, outputs]` float32, 0 or 1.
        logits: The same shape.
        config: Smoothing and focal loss.

    Returns:
        `[batch, outputs]` float32, in nats.
    """
    share = config.label_smoothing
    targets = targets * (1 - share) + share / 2
    present = _focal(tf.math.log_sigmoid(logits), config.focal_gamma)
    absent = _focal(tf.math.log_sigmoid(-logits), config.focal_gamma)
    return -(targets * present + (1 - targets) * absent)


def _focal(log_probabilities: tf.Tensor, gamma: float) -> tf.Tensor:
    if not gamma:
        return log_probabilities
    doubt = tf.maximum(-tf.math.expm1(log_probabilities), _CERTAIN)
    return doubt**gamma * log_probabilities
