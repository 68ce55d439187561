"""Where a model is trained: on one device, on several, on several machines, on a TPU.

Whatever the strategy, a step looks at the same examples and its loss is their
mean, so the result differs from one device's by rounding alone (and by dropout,
which each replica draws for itself). Another strategy is another entry of
`_MAKERS` and of `TrainConfig.strategy`.
"""

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from preprocessing.errors import UsageError, explain
from trainer.backbones.record import Backbone

_MULTI_WORKER = "train.strategy: multi_worker needs TF_CONFIG in the environment of each worker"
_ALONE = (
    "train.strategy: multi_worker needs a runner that gives the Trainer a process of its own on "
    "each worker"
)
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:port", "host2:port"]}, "task": {"type": "worker", "index": 0}}'
)


@functools.cache
def make_strategy(name: str) -> tf.distribute.Strategy:
    """Makes a strategy, once in a process: workers connect only once.

    Args:
        name: As in `TrainConfig.strategy`.

    Returns:
        The strategy; models are built in its scope.

    Raises:
        UsageError: If this machine or its environment has not what it needs.
    """
    return _MAKERS[name]()


def check_in_pipeline(name: str) -> None:
    """Complains before a pipeline that runs in one process begins.

    Args:
        name: As in `TrainConfig.strategy`.

    Raises:
        UsageError: If it cannot be had here, and not only after hours of other work.
    """
    if name == "multi_worker":
        raise UsageError(
            explain(
                f"{_ALONE}, and `graft run` runs everything in one",
                name,
                [one for one in _MAKERS if one != name],
            )
        )
    make_strategy(name)


def check_replicas(backbones: Mapping[str, Backbone]) -> None:
    """Complains where several replicas cannot train a backbone, in the scope of the strategy.

    Raises:
        UsageError: For a SavedModel: inside replicas its variables come out with
            wrong shapes under a gradient tape (seen on TensorFlow 2.16; the
            cause is not known).
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for name, backbone in backbones.items():
        if backbone.kind == "hub":
            what = (
                f"features.{name}.backbone cannot be fine-tuned by several replicas: inside them "
                "the variables of a hub: backbone were seen with wrong shapes. Take a keras: or "
                "hf: backbone, train.mode: frozen, or train.strategy: one_device."
            )
            raise UsageError(explain(what, backbone.handle))


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes."""
    resolver = strategy.cluster_resolver
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) or resolver is None:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_type == "worker"
        and resolver.task_id == 0
        and "chief" not in resolver.cluster_spec().jobs
    )


@contextlib.contextmanager
def place_to_write(strategy: tf.distribute.Strategy, folder: str) -> Iterator[str]:
    """Gives the folder to the chief, and to others one that is gone afterwards.

    Every worker must go through what saving does, or the chief would wait for it.
    All leave together, so that none looks for a result before it is there.
    """
    if is_chief(strategy):
        yield folder
    else:
        with tempfile.TemporaryDirectory() as elsewhere:
            yield elsewhere
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        _meet(strategy)


def share_batches(batches: tf.data.Dataset, *, weigh: bool) -> Any:
    """Gives each replica its part of every batch.

    Args:
        batches: `(features, labels, …)`, the same on every worker.
        weigh: Adds weights to the examples, so that Keras, which averages over
            a replica's examples and then over replicas, gives the mean over the
            whole batch where its parts differ in size.

    Returns:
        What Keras' `fit` takes, with the number of steps: the batches as they
        are for one replica.
    """
    strategy = tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches

    def for_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        own = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * own

        def parts(*batch: Any) -> tf.data.Dataset:
            size = tf.shape(batch[1], tf.int64)[0]

            def part(replica: tf.Tensor) -> tuple:
                start, end = size * replica // replicas, size * (replica + 1) // replicas
                elements = tf.nest.map_structure(lambda one: one[start:end], batch)
                if not weigh:
                    return elements
                weight = tf.cast((end - start) * replicas, tf.float32) / tf.cast(size, tf.float32)
                return *elements, tf.fill([end - start], weight)

            return tf.data.Dataset.range(first, first + own).map(part)

        return batches.flat_map(parts).prefetch(tf.data.AUTOTUNE)

    return strategy.distribute_datasets_from_function(for_worker)


def _meet(strategy: tf.distribute.Strategy) -> None:
    @tf.function
    def count() -> tf.Tensor:
        return strategy.reduce("sum", strategy.run(lambda: tf.constant(1)), axis=None)

    count()


def _multi_worker() -> tf.distribute.Strategy:
    text = os.environ.get("TF_CONFIG")
    if not text:
        raise UsageError(f"{_MULTI_WORKER}, such as {_EXAMPLE}; there is none.")
    try:
        given = json.loads(text)
        workers = given["cluster"]["worker"] + given["cluster"].get("chief", [])
        valid = len(workers) > 0 and given["task"]["index"] < len(
            given["cluster"][given["task"]["type"]]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise UsageError(explain(f"{_MULTI_WORKER}, such as {_EXAMPLE}", text))
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        raise UsageError(
            f"{_ALONE}, for workers find each other before TensorFlow does anything else."
        ) from None


def _tpu() -> tf.distribute.Strategy:
    name = os.environ.get("TPU_NAME")
    what = "train.strategy: tpu needs TPU_NAME in the environment: `local` on a TPU VM"
    # Without a name the resolver asks the network for minutes.
    if not name:
        raise UsageError(explain(what, name))
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(name)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise UsageError(explain(f"{what}. {str(error).splitlines()[0]}", name)) from None


_MAKERS: Mapping[str, Callable[[], tf.distribute.Strategy]] = {
    "one_device": tf.distribute.get_strategy,
    "mirrored": tf.distribute.MirroredStrategy,
    "multi_worker": _multi_worker,
    "tpu": _tpu,
}
