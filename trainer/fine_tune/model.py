"""Backbones and head as one Keras model whose step trains both, each at its own rate.

Everything runs in inference mode but the head: a backbone's batch norm uses its
moving statistics and leaves them alone (see BackboneModule).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from trainer.callbacks import SQUARED_LOSS
from trainer.config import LossConfig
from trainer.features import FeatureExtractor
from trainer.head_inputs import to_head
from trainer.tasks.task import Task


class TunedModel(tf_keras.Model):
    """From what `FeatureExtractor.prepare` gives to logits.

    Its weights are the head's and those backbone variables that are trained.
    Others never change, so neither checkpoints nor a copy of the best epoch
    need them.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        head: tf_keras.Model,
        variables: Sequence[tf.Variable],
        task: Task,
        loss: LossConfig,
        clip_norm: float,
    ) -> None:
        """Puts the parts together.

        Args:
            extractor: Its backbones are changed.
            head: Trained already.
            variables: Those of the backbones that are trained.
            task: Loss and score.
            loss: Its values.
            clip_norm: Largest norm of all gradients together.
        """
        super().__init__(name="tuned_model")
        self.head = head
        self.tuned = list(variables)
        # In functions Keras does not see what they hold, and does not count it as weights.
        inputs = extractor.head_inputs
        self._encode = lambda prepared: to_head(extractor.encode(prepared), inputs)
        self._task = task
        self._loss_config = loss
        self._clip_norm = clip_norm
        names = ("loss", task.score_name, SQUARED_LOSS)
        means = {name: tf_keras.metrics.Mean(name) for name in names}
        self._means = lambda: means

    def compile(
        self,
        optimizer: tf_keras.optimizers.Optimizer,
        head_optimizer: tf_keras.optimizers.Optimizer,
        **options: Any,
    ) -> None:
        """Sets both optimizers; with float16 both are LossScaleOptimizers.

        Args:
            optimizer: Of the backbones' variables.
            head_optimizer: Of the head's.
            **options: As of `tf_keras.Model.compile`.
        """
        super().compile(optimizer=optimizer, **options)
        self.head_optimizer = head_optimizer

    @property
    def metrics(self) -> list[tf_keras.metrics.Metric]:
        """What Keras resets before each epoch."""
        return list(self._means().values())

    def call(self, prepared: Mapping[str, Any], training: bool = False) -> tf.Tensor:
        """Gives logits `[batch, units]` float32."""
        return tf.cast(self.head(self._encode(prepared), training=training), tf.float32)

    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """One step of both optimizers.

        Gradients are summed over the replicas before they are clipped, so that
        the result does not depend on how many there are.
        """
        prepared, labels, *mixed = data
        replicas = tf.distribute.get_replica_context()
        with tf.GradientTape() as tape:
            logits = self(prepared, training=True)
            losses = self._task.loss(labels, logits, self._loss_config)
            if mixed:
                partners, shares = mixed
                others = self._task.loss(partners, logits, self._loss_config)
                losses = shares * losses + (1 - shares) * others
            # Of all replicas' examples, which may be in unequal parts.
            size = replicas.all_reduce("sum", tf.cast(tf.size(losses), tf.float32))
            scaled = self._scaled(tf.reduce_sum(losses) / size)
        heads = self.head.trainable_variables
        gradients = tape.gradient(scaled, [*self.tuned, *heads])
        gradients = replicas.all_reduce("sum", gradients)
        split = len(self.tuned)
        gradients = self._unscaled(gradients[:split], gradients[split:])
        gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        for optimizer, ones, variables in (
            (self.optimizer, gradients[:split], self.tuned),
            (self.head_optimizer, gradients[split:], heads),
        ):
            optimizer.apply_gradients(
                zip(ones, variables, strict=True), skip_gradients_aggregation=True
            )
        return self._count(labels, logits, losses)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Loss and score without training."""
        prepared, labels = data
        logits = self(prepared)
        return self._count(labels, logits, self._task.loss(labels, logits, self._loss_config))

    def _count(self, labels: tf.Tensor, logits: tf.Tensor, losses: tf.Tensor) -> dict:
        values = (losses, self._task.score(labels, logits), tf.square(losses))
        for mean, value in zip(self._means().values(), values, strict=True):
            mean.update_state(value)
        return {name: mean.result() for name, mean in self._means().items()}

    # Both optimizers see the same gradients overflow, as clipping makes all of
    # them NaN when one is infinite; so their scales stay the same.

    def _scaled(self, loss: tf.Tensor) -> tf.Tensor:
        if not isinstance(self.optimizer, tf_keras.mixed_precision.LossScaleOptimizer):
            return loss
        self.head_optimizer.get_scaled_loss(loss)
        return self.optimizer.get_scaled_loss(loss)

    def _unscaled(self, backbone: list[tf.Tensor], head: list[tf.Tensor]) -> list[tf.Tensor]:
        if not isinstance(self.optimizer, tf_keras.mixed_precision.LossScaleOptimizer):
            return [*backbone, *head]
        return [
            *self.optimizer.get_unscaled_gradients(backbone),
            *self.head_optimizer.get_unscaled_gradients(head),
        ]
