"""Makes a model's probabilities mean what they say: temperature scaling.

All logits are divided by one number, fitted on the eval split once training is
over; see Guo et al. 2017, On Calibration of Modern Neural Networks
(https://arxiv.org/abs/1706.04599). Which class comes first does not change.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from trainer.config import LossConfig
from trainer.datasets import read_features
from trainer.fine_tune.examples import find_examples, make_eval_batches
from trainer.head_inputs import to_head
from trainer.model_config import RunConfig
from trainer.tasks.registry import TASKS
from trainer.tasks.task import Task
from trainer.train import TrainedModel, TrainFiles

# Beyond these, logits are as good as certain or as good as equal.
COLDEST, HOTTEST = 0.05, 20.0
_STEPS = 60
_BATCH = 256
# As probabilities are judged, not as they were learned.
_PLAIN = LossConfig(label_smoothing=0.0)


class Calibration(NamedTuple):
    """What logits are divided by, and the cross entropy in nats before and after.

    `bounded` is False where the eval split fits ever better towards one end, as
    when all of it is told rightly; then the temperature stays 1.
    """

    temperature: float
    before: float
    after: float
    bounded: bool = True

    @property
    def note(self) -> str:
        """One sentence for people."""
        if not self.bounded:
            return (
                "The temperature stays 1: the eval split fits ever better towards "
                "one end, as when all of it is right (train.calibrate)."
            )
        return (
            f"Temperature {self.temperature:.3f}, fitted on eval: cross entropy "
            f"{self.before:.4f} before, {self.after:.4f} after (train.calibrate)."
        )


def calibrate(config: RunConfig, files: TrainFiles, model: TrainedModel) -> Calibration:
    """Fits the temperature of a trained model on its eval split.

    Args:
        config: What model, and how it was trained.
        files: What on. A fine-tuned model sees the raw examples, as no vectors
            of its backbones are stored.
        model: What training gave; left alone.

    Returns:
        The temperature, and what it is worth.
    """
    task = TASKS[config.label.task]
    tuned = config.train.mode == "fine_tune"
    logits, labels = _tuned_logits(files, model, task) if tuned else _logits(files, model, task)
    fitted = fit_temperature(logits, labels, task)
    logging.info("%s", fitted.note)
    return fitted


def fit_temperature(logits: np.ndarray, labels: np.ndarray, task: Task) -> Calibration:
    """Finds the temperature of the least cross entropy, without smoothing or weights.

    Args:
        logits: `[examples, units]` float32.
        labels: `[examples, …]`, as the task's loss takes them; all known.
        task: Whose loss.

    Returns:
        The temperature between `COLDEST` and `HOTTEST`; 1 without examples,
        and where it would end at one of them.
    """
    if not len(labels):
        return Calibration(1.0, math.nan, math.nan)
    given, truth = tf.constant(logits, tf.float32), tf.constant(labels)

    def loss(logarithm: float) -> float:
        return float(np.mean(task.loss(truth, given / math.exp(logarithm), _PLAIN)))

    best = math.exp(_golden_section(loss, math.log(COLDEST), math.log(HOTTEST)))
    if not 1.01 * COLDEST < best < 0.99 * HOTTEST:
        return Calibration(1.0, loss(0.0), loss(0.0), bounded=False)
    return Calibration(best, loss(0.0), loss(math.log(best)))


def _golden_section(function: Callable[[float], float], low: float, high: float) -> float:
    """The least point of a function with a single valley; the loss has one, convex in 1 / T."""
    share = (math.sqrt(5) - 1) / 2
    left, right = high - share * (high - low), low + share * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - share * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + share * (high - low)
            at_right = function(right)
    return (low + high) / 2


def _logits(files: TrainFiles, model: TrainedModel, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Of the stored vectors, and their labels."""
    inputs, label = model.extractor.head_inputs, model.extractor.config.label.name
    stored = read_features(files.evaluation, inputs, label, task.label(len(model.classes)))
    batches = [
        (model.head(features, training=False), labels) for features, labels in stored.batch(_BATCH)
    ]
    return _known(batches, task)


def _tuned_logits(
    files: TrainFiles, model: TrainedModel, task: Task
) -> tuple[np.ndarray, np.ndarray]:
    """Of the raw examples, by the trained backbones."""
    extractor = model.extractor
    examples = find_examples(files.raw_evaluation, extractor, task.is_known)

    @tf.function(autograph=False, reduce_retracing=True)
    def run(prepared: dict) -> tf.Tensor:
        vectors = to_head(extractor.encode(prepared), extractor.head_inputs)
        return model.head(vectors, training=False)

    batches = make_eval_batches(examples, extractor, 32)
    return _known([(run(prepared), labels) for prepared, labels in batches], task)


def _known(batches: list[tuple[tf.Tensor, tf.Tensor]], task: Task) -> tuple[np.ndarray, np.ndarray]:
    logits = np.concatenate([np.asarray(one, np.float32) for one, _ in batches])
    labels = np.concatenate([labels.numpy() for _, labels in batches])
    chosen = np.asarray(task.is_known(tf.constant(labels)))
    return logits[chosen], labels[chosen]
