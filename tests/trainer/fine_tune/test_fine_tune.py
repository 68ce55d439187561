"""Backbone and head trained together: better, stopped at the best, and exported as they are."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.errors import GraftError
from trainer.config import AugmentConfig, FineTuneConfig, HeadConfig, LastLayers, TrainConfig
from trainer.export import ServedModel, export
from trainer.features import FeatureExtractor
from trainer.fine_tune.fine_tune import fine_tune
from trainer.heads import build_head
from trainer.tasks.registry import TASKS

TASK = TASKS["multiclass"]
RECIPE = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01, "augment": None}


@pytest.fixture(scope="module")
def files(write_examples):
    return write_examples(40, seed=1, unknown=9), write_examples(16, seed=2)


def tune(extractor, files, tmp_path, **recipe):
    head = build_head(HeadConfig(), extractor.head_inputs, 2)
    config = TrainConfig(mode="fine_tune", fine_tune=FineTuneConfig(**(RECIPE | recipe)))
    history = fine_tune(extractor, head, TASK, *files, config, str(tmp_path / "logs"))
    return head, history


def values(extractor):
    return {one.name: one.numpy() for one in extractor.backbones["image"]._tracked}


def changed(before, extractor):
    return {
        name for name, one in values(extractor).items() if not np.array_equal(before[name], one)
    }


@pytest.fixture(scope="module")
def tuned(transform_graph, model_config, files, tmp_path_factory):
    """An extractor, its weights before, the head, the history and the folder of the logs."""
    extractor = FeatureExtractor(transform_graph, model_config)
    before = values(extractor)
    folder = tmp_path_factory.mktemp("tuned")
    return extractor, before, *tune(extractor, files, folder), folder


def test_what_the_backbone_learns_lowers_the_eval_loss(tuned):
    extractor, before, head, history, _ = tuned
    assert set(history) == {"loss", "accuracy", "eval_loss", "eval_accuracy"}
    assert [len(one) for one in history.values()] == [3] * 4
    assert history["eval_loss"][-1] < np.log(2)
    assert np.any(head.get_layer("logits").kernel)
    trained = {one.name for layer in extractor.backbones["image"].layers for one in layer}
    assert changed(before, extractor) == trained
    # Left are batch norm's moving mean and variance.
    assert {name.rpartition("/")[2] for name in set(before) - trained} == {
        "moving_mean:0",
        "moving_variance:0",
    }


def test_what_is_exported_is_what_was_trained(tuned, picture, tmp_path):
    extractor, _, head, _, _ = tuned
    model = ServedModel(extractor, head, ["red", "blue"])
    export(model, str(tmp_path / "model"))
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    pictures = tf.constant([picture([200, 30, 60]), picture([9, 100, 200])])
    served = loaded.signatures["serving_default"](image=pictures)
    expected = model.predict({"image": pictures})
    np.testing.assert_allclose(served["probabilities"], expected["probabilities"], atol=1e-6)
    assert np.abs(np.diff(expected["probabilities"])).min() > 0.01


def test_every_epoch_is_written_for_tensorboard(tuned):
    for split in ("train", "validation"):
        assert list((tuned[-1] / "logs" / split).glob("events.out.tfevents*"))


def test_only_the_last_layers_change(extractor, files, tmp_path):
    before = values(extractor)
    tune(extractor, files, tmp_path, unfreeze=LastLayers(last=1), epochs=1)
    assert changed(before, extractor) == {"second/kernel:0", "second/bias:0"}


def test_training_that_makes_everything_worse_leaves_what_it_began_with(
    extractor, files, tmp_path, caplog
):
    before = values(extractor)
    with caplog.at_level(logging.INFO, logger="absl"):
        head, history = tune(
            extractor, files, tmp_path, learning_rate=3.0, head_learning_rate=3.0, patience=2
        )
    assert len(history["eval_loss"]) == 2
    assert min(history["eval_loss"]) > np.log(2)
    assert changed(before, extractor) == set()
    assert not np.any(head.get_layer("logits").kernel)
    assert "The weights are those of epoch 0 of fine-tuning" in caplog.text


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(transform_graph, model_config, files, tmp_path):
    recipe = {"epochs": 1, "augment": AugmentConfig(mixup=0.2)}
    results = []
    for _ in range(2):
        extractor = FeatureExtractor(transform_graph, model_config)
        head, history = tune(extractor, files, tmp_path, **recipe)
        results.append((values(extractor), head.get_weights(), history))
    tf.nest.map_structure(np.testing.assert_array_equal, *results)


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_says_what_to_change(extractor, files, tmp_path):
    with pytest.raises(GraftError) as caught:
        tune(extractor, files, tmp_path, learning_rate=1e38)
    message = str(caught.value)
    assert message.startswith(
        "Training diverged: the loss is not a finite number after epoch 1. "
        "Make train.fine_tune.learning_rate (now 1e+38) ten times smaller.\n  Received: ["
    )
