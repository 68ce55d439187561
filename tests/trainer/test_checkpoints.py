"""A training that is really killed and run again ends as one that was left in peace."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainer.checkpoints import training_key

ROOT = Path(__file__).resolve().parents[2]

_SETUP = """
import os, signal, sys
import logging
import numpy as np
import tensorflow as tf
from absl import logging as absl_logging
from trainer import checkpoints, datasets, fit
from trainer.checkpoints import Checkpoint, resumable_dropout
from trainer.config import HeadConfig, TrainConfig
from trainer.head_inputs import HeadInput
from trainer.heads import build_head
from trainer.tasks.registry import TASKS

folder, result, victim, when = sys.argv[1:5]
absl_logging.use_absl_handler()
absl_logging.set_verbosity("info")
absl_logging.set_stderrthreshold("info")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def random(seed):
    return np.random.default_rng(seed)


if victim == "in an epoch":
    def emit(record):
        if record.graft_done == int(when):
            die()
    handler = logging.Handler()
    handler.emit = emit
    logging.getLogger("graft.progress").addHandler(handler)
    logging.getLogger("graft.progress").setLevel("INFO")
elif victim == "in a checkpoint":
    from tensorflow.python.checkpoint import checkpoint_management
    whole = checkpoint_management.update_checkpoint_state_internal
    def update(*args, **named):
        # The new files are there; what says that they count is not.
        path = named["model_checkpoint_path"]
        return die() if path.endswith("-" + when) else whole(*args, **named)
    checkpoint_management.update_checkpoint_state_internal = update
"""

_HEAD = (
    _SETUP
    + """
checkpoints.LARGEST_SHARE = 1e9
datasets.scan.__defaults__ = (int(sys.argv[5]),)


def blobs(examples, seed):
    labels = np.arange(examples, dtype=np.int64) % 3
    vectors = 4 * np.eye(3)[labels] + 3 * random(seed).normal(size=(examples, 3))
    return tf.data.Dataset.from_tensor_slices(({"x": vectors.astype(np.float32)}, labels))


config = TrainConfig(epochs=8, patience=8, batch_size=16,
                     head=HeadConfig(hidden=(8,), dropout=0.3))
with resumable_dropout():
    head = build_head(config.head, {"x": HeadInput(kind="vector", width=3)}, 3)
history = fit.fit_head(head, blobs(90, 1), blobs(30, 2), TASKS["multiclass"], config,
                       folder + "/logs", folder + "/checkpoints")
np.savez(result, *head.get_weights(), *history.values())
"""
)


def run(script, folder, *arguments):
    """Runs a script; gives its exit status, its log and what it saved."""
    result = folder / "result.npz"
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(result), *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "TF_DETERMINISTIC_OPS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    arrays = list(np.load(result).values()) if result.is_file() else None
    return done.returncode, done.stderr, arrays


def check_killed_and_run_again(script, tmp_path, victim, when, more, goes_on):
    folders = tmp_path / "peace", tmp_path / "killed"
    for folder in folders:
        folder.mkdir()
    code, log, peace = run(script, folders[0], "none", 0, *more)
    assert code == 0, log
    assert goes_on not in log
    code, log, nothing = run(script, folders[1], victim, when, *more)
    assert (code, nothing) == (-signal.SIGKILL, None), log
    code, log, again = run(script, folders[1], "none", 0, *more)
    assert code == 0, log
    assert goes_on in log
    assert len(peace) == len(again)
    for one, two in zip(peace, again, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "when", "limit", "epochs"),
    [("in an epoch", 5, 2**20, 4), ("in an epoch", 5, 0, 4), ("in a checkpoint", 4, 2**20, 3)],
)
def test_a_head_that_is_killed_goes_on_to_the_same_weights(tmp_path, victim, when, limit, epochs):
    goes_on = f"Training of the head goes on after epoch {epochs}"
    check_killed_and_run_again(_HEAD, tmp_path, victim, when, [limit], goes_on)


def test_another_training_has_another_key():
    keys = {training_key({"a": 1, "b": 2}, "uri"), training_key({"b": 2, "a": 1}, "uri")}
    assert len(keys) == 1
    assert training_key({"a": 2}, "uri") not in keys
