"""The loops that Keras's `fit` runs on a device, written down without AutoGraph.

Keras writes them as Python's `for` over a tensor and leaves it to AutoGraph to make
a graph's loop of that, function by function, which takes longer than a head's
training. TensorFlow knows the package `keras` as one to leave alone, but not
`tf_keras`. Here the loop is TensorFlow's own; a step is Keras's as before.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
import tf_keras


def spare_conversion(model: tf_keras.Model) -> None:
    """Keeps AutoGraph out of a model's training and evaluation.

    With a strategy of several replicas only out of the steps: the loop is
    Keras's then, which brings together what replicas say.

    Args:
        model: Not compiled yet; changed in place, and trained to the same weights. Not
            in the scope of its strategy.
    """
    model.train_step = tf.autograph.experimental.do_not_convert(model.train_step)
    model.test_step = tf.autograph.experimental.do_not_convert(model.test_step)
    if model.distribute_strategy is tf.distribute.get_strategy():
        for kind in ("train", "test"):
            setattr(model, f"make_{kind}_function", functools.partial(_make, model, kind))


def _make(model: tf_keras.Model, kind: str, force: bool = False) -> Callable[..., Any]:
    """What Keras lets models override, `make_train_function` and `make_test_function`."""
    if getattr(model, f"{kind}_function") is None or force:
        setattr(model, f"{kind}_function", _loop(model, kind))
    return getattr(model, f"{kind}_function")


def _loop(model: tf_keras.Model, kind: str) -> Callable[[Iterator[Any]], dict[str, tf.Tensor]]:
    step, counter = getattr(model, f"{kind}_step"), getattr(model, f"_{kind}_counter")
    # Keras shortens it for the last steps of an epoch.
    steps = model._steps_per_execution

    def run(iterator: Iterator[Any]) -> dict[str, tf.Tensor]:
        def body(done: tf.Tensor) -> list[tf.Tensor]:
            step(next(iterator))
            counter.assign_add(1)
            return [done + 1]

        tf.while_loop(lambda done: done < steps, body, [tf.zeros([], steps.dtype)])
        return model.get_metrics_result()

    return tf.function(run, reduce_retracing=True, autograph=False)
