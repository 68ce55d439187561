"""The one shape that every loaded backbone has."""

from collections.abc import Callable

import tensorflow as tf

from trainer.backbones.record import Interface


class BackboneModule(tf.Module):
    """A backbone in inference mode, ready to be called, traced and saved.

    May be an attribute of a tf.Module that is written with
    tf.saved_model.save: everything that the function reads is tracked.
    """

    def __init__(
        self,
        apply: Callable[[tf.Tensor], tf.Tensor],
        tracked: object,
        interface: Interface,
    ) -> None:
        """Traces the function once for any number of pictures.

        Args:
            apply: Function from pictures to feature vectors.
            tracked: The trackable objects, such as variables, that it reads.
            interface: Sizes of its input and output.
        """
        super().__init__(name="backbone")
        self._tracked = tracked
        spec = tf.TensorSpec([None, interface.height, interface.width, 3], tf.float32, "images")

        def features(images: tf.Tensor) -> tf.Tensor:
            return tf.ensure_shape(apply(images), [None, interface.feature_width])

        self._features = tf.function(features, input_signature=[spec])

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Embeds pictures.

        Args:
            images: [batch, height, width, 3] float32 RGB in the backbone's
                input range.

        Returns:
            [batch, feature_width] float32.
        """
        return self._features(images)
