"""Warm-up, cosine and decay, against numbers worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from trainer.config import FineTuneConfig
from trainer.fine_tune.optimizers import build_optimizer


def build(steps=100, **config):
    variables = [
        tf.Variable(tf.ones([2, 2]), name="kernel"),
        tf.Variable(tf.ones([2]), name="bias"),
    ]
    return build_optimizer(0.4, variables, FineTuneConfig(**config), steps), variables


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 0.0), (5, 0.2), (10, 0.4), (55, 0.2), (100, 0.0), (200, 0.0)]
)
def test_the_rate_rises_in_a_line_and_falls_along_a_cosine(step, rate):
    schedule = build(warmup=0.1)[0]._learning_rate
    assert float(schedule(step)) == pytest.approx(rate, abs=1e-6)


def test_without_warm_up_the_rate_begins_at_its_highest():
    assert float(build(warmup=0.0)[0].learning_rate) == pytest.approx(0.4)


def test_decay_shrinks_kernels_apart_from_the_gradient_and_spares_the_rest():
    optimizer, (kernel, bias) = build(warmup=0.0, weight_decay=0.5)
    optimizer.apply_gradients([(tf.zeros([2, 2]), kernel), (tf.zeros([2]), bias)])
    np.testing.assert_allclose(kernel, np.full([2, 2], 1 - 0.4 * 0.5), rtol=1e-6)
    np.testing.assert_array_equal(bias, [1, 1])


def test_only_float16_scales_its_loss():
    scaling = tf_keras.mixed_precision.LossScaleOptimizer
    assert isinstance(build(precision="float16")[0], scaling)
    assert not isinstance(build(precision="bfloat16")[0], scaling)
