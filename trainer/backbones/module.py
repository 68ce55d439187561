"""The one shape that every loaded backbone has."""

from collections.abc import Callable, Iterable
from typing import Any

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
        model: Any,
        variables: Iterable[tf.Variable],
        interface: Interface,
    ) -> None:
        """Traces the function once for any number of pictures.

        Args:
            apply: Function from pictures to feature vectors.
            model: The object that the function calls.
            variables: The model's variables.
            interface: Sizes of its input and output.
        """
        super().__init__(name="backbone")
        spec = tf.TensorSpec([None, interface.height, interface.width, 3], tf.float32, "images")

        def features(images: tf.Tensor) -> tf.Tensor:
            return tf.ensure_shape(apply(images), [None, interface.feature_width])

        # There is no Python control flow to convert here; converting Keras's own code on the way
        # takes 15 s for a MobileNetV2.
        self._features = tf.function(features, input_signature=[spec], autograph=False)
        self._tracked = _what_it_reads(self._features.get_concrete_function(), model, variables)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Embeds pictures.

        Args:
            images: [batch, height, width, 3] float32 RGB in the backbone's
                input range.

        Returns:
            [batch, feature_width] float32.
        """
        return self._features(images)


def _what_it_reads(
    function: tf.types.experimental.ConcreteFunction,
    model: Any,
    variables: Iterable[tf.Variable],
) -> Any:
    """Chooses what to track: the bare variables where the function reads nothing else.

    A tracked model is written layer by layer and function by function, which
    triples the time to export a MobileNetV2 and adds nothing to the result.
    """
    variables = list(variables)
    handles = {id(variable.handle) for variable in variables}
    if all(id(capture) in handles for capture in function.captured_inputs):
        return variables
    return model
