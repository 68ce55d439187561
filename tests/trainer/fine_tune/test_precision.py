"""Half the bits in training, float32 before and after it."""

import logging

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from trainer.config import FineTuneConfig, HeadConfig, TrainConfig
from trainer.export import ServedModel
from trainer.fine_tune.fine_tune import fine_tune
from trainer.fine_tune.precision import load_tunable, to_float32
from trainer.heads import build_head
from trainer.tasks.registry import TASKS


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_training_in_half_the_bits_is_finite_and_gives_a_float32_model(
    half_extractor, transform_graph, write_examples, picture, tmp_path, dtype
):
    half = half_extractor(dtype)
    assert tf_keras.mixed_precision.global_policy().name == "float32"
    operations = half.backbones["image"]._encode.get_concrete_function().graph.get_operations()
    assert tf.as_dtype(dtype) in {one.outputs[0].dtype for one in operations if one.outputs}
    head = build_head(HeadConfig(), half.head_inputs, 2)
    recipe = FineTuneConfig(epochs=2, batch_size=8, learning_rate=0.01, precision=dtype)
    files = write_examples(40, seed=1), write_examples(16, seed=2)
    config = TrainConfig(mode="fine_tune", fine_tune=recipe)
    history = fine_tune(half, head, TASKS["multiclass"], *files, config, str(tmp_path))
    assert all(np.isfinite(values).all() for values in history.values())
    assert history["eval_loss"][-1] < np.log(2)
    plain = to_float32(half, transform_graph, dtype)
    pictures = {"image": tf.constant([picture([200, 30, 60]), picture([9, 100, 200])])}
    exact, rounded = (
        ServedModel(one, head, ["red", "blue"]).predict(pictures)["probabilities"]
        for one in (plain, half)
    )
    assert exact.dtype == rounded.dtype == tf.float32
    assert 0 < np.abs(exact - rounded).max() < 0.02
    for ours, theirs in zip(
        plain.backbones["image"].layers, half.backbones["image"].layers, strict=True
    ):
        for one, other in zip(ours, theirs, strict=True):
            assert one.dtype == other.dtype == tf.float32
            np.testing.assert_array_equal(one, other)


def test_a_hub_module_says_that_it_keeps_its_precision(transform_graph, model_config, caplog):
    with caplog.at_level(logging.WARNING):
        loaded = load_tunable(transform_graph, model_config, "bfloat16")
    assert caplog.messages == [
        "The backbone of 'image' computes as it was saved and not in bfloat16: "
        "a hub: module's arithmetic is part of its graph"
    ]
    changes = loaded.backbones["image"].layers[-1][0]
    changes.assign_add(tf.ones_like(changes))
    plain = to_float32(loaded, transform_graph, "bfloat16")
    assert plain is not loaded
    np.testing.assert_array_equal(plain.backbones["image"].layers[-1][0], changes)
    assert to_float32(loaded, transform_graph, "float32") is loaded
