"""Backbone and head trained together: better, resumable in no other's way, and exported as is."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import FineTuneConfig, HeadConfig, LastLayers, TrainConfig
from trainer.export import ServedModel
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


def values(backbone):
    return {one.name: one.numpy() for one in backbone._tracked}


def test_what_the_backbone_learns_lowers_the_eval_loss(extractor, files, tmp_path):
    backbone = extractor.backbones["image"]
    before = values(backbone)
    head, history = tune(extractor, files, tmp_path)
    assert set(history) == {"loss", "accuracy", "eval_loss", "eval_accuracy"}
    assert [len(one) for one in history.values()] == [3] * 4
    assert history["eval_loss"][-1] < np.log(2)
    after = values(backbone)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    # Batch norm's moving mean and variance are not among them.
    assert changed == {one.name for layer in backbone.layers for one in layer}
    assert {name for name in before if "moving" in name} == set(before) - changed != set()
    assert np.any(head.get_layer("logits").kernel)


def test_only_the_last_layers_change(extractor, files, tmp_path):
    backbone = extractor.backbones["image"]
    before = values(backbone)
    tune(extractor, files, tmp_path, unfreeze=LastLayers(last=1), epochs=1)
    after = values(backbone)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"second/kernel:0", "second/bias:0"}
