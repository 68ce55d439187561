"""Which strategies can be had here, and what is said of those that cannot."""

import json

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.errors import UsageError
from trainer.strategy import (
    _EXAMPLE,
    check_in_pipeline,
    is_chief,
    make_strategy,
    place_to_write,
    share_batches,
)


@pytest.fixture(autouse=True)
def _afresh(monkeypatch):
    make_strategy.cache_clear()
    for name in ("TF_CONFIG", "TPU_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_workers_must_know_each_other():
    with pytest.raises(UsageError) as caught:
        make_strategy("multi_worker")
    assert str(caught.value) == (
        "train.strategy: multi_worker needs TF_CONFIG in the environment of each worker, such as "
        f"{_EXAMPLE}; there is none."
    )


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"cluster": {}}',
        json.dumps({"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}),
        json.dumps({"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}),
    ],
)
def test_a_cluster_that_makes_no_sense_is_shown(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UsageError) as caught:
        make_strategy("multi_worker")
    assert str(caught.value) == (
        "train.strategy: multi_worker needs TF_CONFIG in the environment of each worker, such as "
        f"{_EXAMPLE}\n  Received: {text!r}"
    )


def test_a_pipeline_in_one_process_says_so_at_once():
    with pytest.raises(UsageError) as caught:
        check_in_pipeline("multi_worker")
    assert str(caught.value) == (
        "train.strategy: multi_worker needs a runner that gives the Trainer a process of its own "
        "on each worker, and `graft run` runs everything in one\n"
        "  Received: 'multi_worker'\n  Valid: one_device, mirrored, tpu\n  Did you mean 'mirrored'?"
    )


def test_a_process_that_has_begun_other_work_cannot_join(monkeypatch):
    tf.constant(0)
    cluster = {"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(UsageError) as caught:
        make_strategy("multi_worker")
    assert str(caught.value) == (
        "train.strategy: multi_worker needs a runner that gives the Trainer a process of its own "
        "on each worker, for workers find each other before TensorFlow does anything else."
    )


@pytest.mark.slow
def test_without_a_tpu_there_is_one_clear_error(monkeypatch):
    what = "train.strategy: tpu needs TPU_NAME in the environment: `local` on a TPU VM"
    with pytest.raises(UsageError) as caught:
        make_strategy("tpu")
    assert str(caught.value) == f"{what}\n  Received: None"
    monkeypatch.setenv("TPU_NAME", "local")
    with pytest.raises(UsageError) as caught:
        make_strategy("tpu")
    assert str(caught.value).startswith(f"{what}. ")
    assert str(caught.value).endswith("\n  Received: 'local'")


def test_one_device_takes_batches_as_they_are_and_writes(tmp_path):
    strategy = make_strategy("one_device")
    batches = tf.data.Dataset.from_tensors((np.zeros([3, 2]), np.zeros([3])))
    assert share_batches(batches, weigh=True) is batches
    assert is_chief(strategy)
    with place_to_write(strategy, str(tmp_path)) as folder:
        assert folder == str(tmp_path)
