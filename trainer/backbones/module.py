"""The one shape that every loaded backbone has."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from preprocessing.inputs import ImageInput
from trainer.backbones.record import Interface


class BackboneModule(tf.Module):
    """A backbone in inference mode, ready to be called, traced and saved.

    May be an attribute of a tf.Module that is written with
    tf.saved_model.save: everything that its functions read is tracked.

    Its function is differentiable in `variables`: fine-tuning changes them while
    the function stays in inference mode, so that batch norm uses the moving
    statistics and never changes them.

    Attributes:
        interface: What goes in and what comes out.
        layers: Trainable variables by layer (of a transformer: by block), from
            the input to the output.
    """

    def __init__(
        self,
        encode: Callable[[Any], tf.Tensor],
        model: Any,
        variables: Iterable[tf.Variable],
        interface: Interface,
        *,
        prepare: Callable[[tf.Tensor], Any] | None = None,
        truncated: Callable[[tf.Tensor], tf.Tensor] | None = None,
        layers: Sequence[Sequence[tf.Variable]] = (),
    ) -> None:
        """Traces both functions once for any number of examples.

        Args:
            encode: Function from what `prepare` gives to feature vectors.
            model: The object that the functions call.
            variables: The model's variables.
            interface: Sizes of its input and output.
            prepare: Texts: function from strings to tokens, run on the CPU.
            truncated: Texts: function from strings to `[batch]` bool, whether
                a text has more tokens than are looked at.
            layers: Trainable variables by layer.
        """
        super().__init__(name="backbone")
        self.interface = interface
        self.layers = [list(layer) for layer in layers]
        raw = _spec(interface)
        # There is no Python control flow to convert here; converting Keras's own code on the way
        # takes 15 s for a MobileNetV2.
        self._prepare = _traced(prepare, raw) if prepare else None
        self._truncated = _traced(truncated, raw) if truncated else None

        def features(prepared: Any) -> tf.Tensor:
            return tf.ensure_shape(encode(prepared), [None, interface.feature_width])

        self._encode = _traced(features, _output_spec(self._prepare) if self._prepare else raw)
        functions = [one for one in (self._encode, self._prepare, self._truncated) if one]
        self._tracked = _what_they_read(functions, model, variables)

    def prepare(self, inputs: tf.Tensor) -> Any:
        """Makes tokens of texts, `[batch]` string; pictures stay as they are."""
        return self._prepare(inputs) if self._prepare else inputs

    @property
    def tokens(self) -> dict[str, tf.TensorSpec]:
        """What `prepare` makes of texts, by name; empty where it changes nothing."""
        return _output_spec(self._prepare) if self._prepare else {}

    def encode(self, prepared: Any) -> tf.Tensor:
        """Gives the feature vectors, `[batch, feature_width]`, of what `prepare` gave."""
        return self._encode(prepared)

    def truncated(self, texts: tf.Tensor) -> tf.Tensor:
        """Tells which of `[batch]` texts have more tokens than are looked at."""
        return self._truncated(texts) if self._truncated else tf.zeros(tf.shape(texts), tf.bool)

    def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
        """Embeds pictures or texts.

        Args:
            inputs: [batch, height, width, 3] float32 RGB in the backbone's
                input range, or [batch] string.

        Returns:
            [batch, feature_width] float32.
        """
        return self.encode(self.prepare(inputs))


def _spec(interface: Interface) -> tf.TensorSpec:
    wanted = interface.input
    if isinstance(wanted, ImageInput):
        return tf.TensorSpec([None, wanted.height, wanted.width, 3], tf.float32, "images")
    return tf.TensorSpec([None], tf.string, "texts")


def _traced(function: Callable, spec: Any) -> Any:
    return tf.function(function, input_signature=[spec], autograph=False)


def _output_spec(function: Any) -> Any:
    outputs = function.get_concrete_function().structured_outputs
    return tf.nest.map_structure(lambda one: tf.TensorSpec(one.shape, one.dtype), outputs)


def _what_they_read(functions: Sequence[Any], model: Any, variables: Iterable[tf.Variable]) -> Any:
    """Chooses what to track: the bare variables where the functions read nothing else.

    A tracked model is written layer by layer and function by function, which
    triples the time to export a MobileNetV2 and adds nothing to the result.
    """
    variables = list(variables)
    handles = {id(handle_of(variable)) for variable in variables}
    captured = [
        one
        for each in functions
        for one in each.get_concrete_function().captured_inputs
        # A plain tensor, such as a compiled vocabulary, is saved with the function.
        if one.dtype == tf.resource
    ]
    return variables if all(id(one) in handles for one in captured) else model


def handle_of(variable: tf.Variable) -> tf.Tensor:
    """The handle that a function reads; the first replica's, where there are several."""
    return tf.distribute.get_strategy().experimental_local_results(variable)[0].handle
