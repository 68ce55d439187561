"""How a text's token vectors become one vector."""

import tensorflow as tf

from trainer.backbones.record import Pooling


def pool(tokens: tf.Tensor, mask: tf.Tensor, pooling: Pooling) -> tf.Tensor:
    """Makes one vector of a text's token vectors.

    Args:
        tokens: [batch, tokens, width] float.
        mask: [batch, tokens], 0 for padding; one token at least counts.
        pooling: Their mean, the first one, or the largest values.

    Returns:
        [batch, width].
    """
    if pooling == "cls":
        return tokens[:, 0]
    weights = tf.cast(mask, tokens.dtype)[:, :, tf.newaxis]
    if pooling == "max":
        return tf.reduce_max(tf.where(weights > 0, tokens, tokens.dtype.min), axis=1)
    return tf.reduce_sum(tokens * weights, axis=1) / tf.reduce_sum(weights, axis=1)
