"""One step: two rates, one norm for all gradients, statistics left alone, float16 that skips."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from trainer.config import HeadConfig, LossConfig
from trainer.features import FeatureExtractor
from trainer.fine_tune.model import TunedModel
from trainer.fine_tune.unfreeze import choose_variables
from trainer.heads import build_head
from trainer.tasks.registry import TASKS

PICTURES = np.random.default_rng(0).uniform(size=[6, 4, 4, 3]).astype(np.float32)
INPUTS = {"image": PICTURES}
LABELS = tf.constant([0, 1] * 3, tf.int64)
SGD = tf_keras.optimizers.SGD


def build(extractor, clip_norm=1e6, backbone=0.1, head=0.2, optimizer=SGD):
    tops = build_head(HeadConfig(), extractor.head_inputs, 2)
    tops.get_layer("logits").kernel.assign(tf.reshape(tf.range(12.0), [6, 2]) / 10)
    variables = choose_variables(extractor.backbones, "all")
    model = TunedModel(extractor, tops, variables, TASKS["multiclass"], LossConfig(), clip_norm)
    model.compile(optimizer(backbone), optimizer(head))
    return model


def step(model, *mixed):
    """What one step adds to each variable."""
    before = [variable.numpy() for variable in model.trainable_variables]
    logs = model.train_step((INPUTS, LABELS, *mixed))
    after = [variable.numpy() for variable in model.trainable_variables]
    changes = dict(
        zip(
            (one.name for one in model.trainable_variables),
            map(np.subtract, after, before),
            strict=True,
        )
    )
    return changes, {name: float(value) for name, value in logs.items()}


def norm(changes, rates):
    scaled = [value / rates["logits" in name] for name, value in changes.items()]
    return np.sqrt(sum(np.square(one).sum() for one in scaled))


def test_it_has_the_weights_that_training_changes_and_the_heads_statistics(extractor):
    model = build(extractor)
    assert [one.name.removesuffix(":0") for one in model.trainable_variables] == [
        "logits/kernel",
        "logits/bias",
        "first/kernel",
        "first/bias",
        "norm/gamma",
        "norm/beta",
        "second/kernel",
        "second/bias",
    ]
    assert len(model.get_weights()) == 8 + 2


def test_backbone_and_head_have_rates_of_their_own(extractor):
    changes, _ = step(build(extractor, backbone=0.0))
    assert {name for name, change in changes.items() if change.any()} == {
        "logits/kernel:0",
        "logits/bias:0",
    }
    changes, _ = step(build(extractor, head=0.0))
    assert not changes["logits/kernel:0"].any()
    assert changes["first/kernel:0"].any()


def test_all_gradients_are_clipped_by_one_norm(extractor):
    rates = (0.1, 0.2)
    free = norm(step(build(extractor))[0], rates)
    assert free > 0.05
    clipped, _ = step(build(extractor, clip_norm=0.05))
    assert norm(clipped, rates) == pytest.approx(0.05, rel=1e-3)


def test_a_step_leaves_batch_norms_statistics_alone(extractor):
    moving = [one for one in extractor.backbones["image"]._tracked if "moving" in one.name]
    before = [one.numpy() for one in moving]
    model = build(extractor)
    for _ in range(3):
        step(model)
    assert len(moving) == 2
    for one, value in zip(moving, before, strict=True):
        np.testing.assert_array_equal(one, value)


def test_the_gradient_is_that_of_the_loss(extractor):
    """By differences: along the step the loss falls by rate times the squared gradient."""
    model = build(extractor, backbone=1e-3, head=1e-3)
    changes, before = step(model)
    after = float(model.test_step((INPUTS, LABELS))["loss"])
    # The first metric is a mean over both calls.
    after = 2 * after - before["loss"]
    squared = sum(np.square(one).sum() for one in changes.values()) / 1e-6
    assert before["loss"] - after == pytest.approx(1e-3 * squared, rel=0.05)


def test_a_mixed_example_counts_both_labels_by_their_shares(extractor):
    model = build(extractor, backbone=0.0, head=0.0)
    losses = []
    for mixed in ((), (1 - LABELS, tf.zeros([6])), (1 - LABELS, tf.fill([6], 0.25))):
        model.reset_metrics()
        losses.append(step(model, *mixed)[1]["loss"])
    own, others, both = losses
    assert abs(own - others) > 0.01
    assert both == pytest.approx(0.25 * own + 0.75 * others)


def scaling(rate):
    return tf_keras.mixed_precision.LossScaleOptimizer(SGD(rate), initial_scale=2.0**10)


def test_a_scaled_loss_gives_the_same_step(transform_graph, model_config):
    plain, scaled = (
        step(build(FeatureExtractor(transform_graph, model_config), optimizer=optimizer))[0]
        for optimizer in (SGD, scaling)
    )
    for name, change in plain.items():
        np.testing.assert_allclose(scaled[name], change, rtol=1e-4, atol=1e-7)


def test_a_step_that_overflows_is_skipped_by_both_and_halves_both_scales(extractor):
    model = build(extractor, optimizer=scaling)
    bad = {"image": np.full_like(PICTURES, np.inf)}
    before = [one.numpy() for one in model.trainable_variables]
    model.train_step((bad, LABELS))
    for one, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(one, value)
    assert float(model.optimizer.loss_scale) == float(model.head_optimizer.loss_scale) == 2.0**9
