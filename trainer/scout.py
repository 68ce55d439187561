"""How good a backbone is for some data: the small head on its vectors, and what they cost."""

import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.embed import Embedding
from trainer.model_config import RunConfig
from trainer.tasks.registry import TASKS
from trainer.train import TrainFiles, train

_WARM_EXAMPLES = 64


class HeadScore(NamedTuple):
    """What a head on frozen vectors came to.

    Attributes:
        name: Of the score; higher is better.
        value: On eval, in the epoch with the least eval loss.
        is_share: Whether it is a share of the examples, so that it has an interval.
    """

    name: str
    value: float
    is_share: bool


def score_head(config: RunConfig, files: TrainFiles) -> HeadScore:
    """Trains the config's head on vectors that are there; no backbone runs.

    Args:
        config: What model; however the config trains, here backbones stay frozen.
        files: The vectors.
    """
    frozen = config.train.model_copy(update={"mode": "frozen", "warm_start": False})
    history = train(config.model_copy(update={"train": frozen}), files, None).history
    task = TASKS[config.label.task]
    scores, losses = history[f"eval_{task.score_name}"], history["eval_loss"]
    is_share = config.label.task in ("multiclass", "binary")
    return HeadScore(task.score_name, scores[losses.index(min(losses))], is_share)


def time_backbone(embedding: Embedding, name: str, serialized: tf.data.Dataset) -> float | None:
    """Measures a backbone with its decoding or tokenising, ready and warm.

    Args:
        embedding: Runs it.
        name: The feature.
        serialized: Some raw tf.Examples.

    Returns:
        Seconds for 1,000 examples; None where there are none.
    """
    # Until some have gone through, it is loaded, and traced for texts of other lengths.
    _run(embedding, name, serialized.take(_WARM_EXAMPLES))
    began = time.monotonic()
    done = _run(embedding, name, serialized)
    return (time.monotonic() - began) / done * 1000 if done else None


def _run(embedding: Embedding, name: str, serialized: tf.data.Dataset) -> int:
    """Runs examples through a backbone; returns how many."""
    slots = tf.data.Dataset.range(1 << 40).map(lambda slot: slot[tf.newaxis])
    batches = embedding.embed(name, tf.data.Dataset.zip((serialized, slots)))
    return sum(int(np.size(batch.slots)) for batch in batches)
