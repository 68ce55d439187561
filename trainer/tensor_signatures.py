"""What a model takes where there are no strings and no pictures' bytes: tensors alone.

Phones and browsers run models without TensorFlow's string, picture and lookup
ops. They get the part behind the transform graph and the tokenizers; what is in
front of it runs on their side, in their own code.
"""

from collections.abc import Mapping

import tensorflow as tf

from preprocessing.errors import ConfigError, explain
from preprocessing.inputs import ImageInput
from trainer.features import FeatureExtractor

# From the tensors to `probabilities`, or to `value`.
TENSORS_SIGNATURE = "serving_tensors"
# From serialized tf.Examples to the tensors: whoever checks an export feeds it with these.
PREPARE_SIGNATURE = "prepared_examples"


def tensor_specs(extractor: FeatureExtractor) -> dict[str, tf.TensorSpec] | None:
    """Says what tensors a model takes, all of them float32 or int32.

    Args:
        extractor: From raw columns to the head's inputs.

    Returns:
        By name: a picture `[batch, height, width, 3]` in its backbone's range,
        a text's tokens as `<feature>_<input of its backbone>` `[batch,
        sequence_length]`, a number `[batch, width]`, a category's id `[batch]`,
        an indicator `<feature>_missing` `[batch, 1]`. None where the backbone
        of a text takes strings itself.

    Raises:
        ConfigError: If two of them have the same name.
    """
    specs: dict[str, tf.TensorSpec] = {}
    for name, one in extractor.head_inputs.items():
        backbone = extractor.backbones.get(name)
        if backbone is None:
            shape = [None] if one.kind == "category" else [None, one.width]
            dtype = tf.int32 if one.kind == "category" else tf.float32
            given = {name: tf.TensorSpec(shape, dtype, name)}
        elif isinstance(backbone.interface.input, ImageInput):
            wanted = backbone.interface.input
            shape = [None, wanted.height, wanted.width, 3]
            given = {name: tf.TensorSpec(shape, tf.float32, name)}
        elif not backbone.tokens:
            return None
        else:
            shape = [None, backbone.interface.input.sequence_length]
            keys = [_token_name(name, token) for token in backbone.tokens]
            given = {key: tf.TensorSpec(shape, tf.int32, key) for key in keys}
        for key in given:
            if key in specs:
                raise ConfigError(explain("Two inputs of the exports have the same name.", key))
        specs |= given
    return specs


def to_tensors(
    extractor: FeatureExtractor, prepared: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """From outputs of `FeatureExtractor.prepare` to tensors as `tensor_specs` says.

    Shorter rows of tokens are filled up with zeros, their mask too.
    """
    tensors = {}
    for name in extractor.head_inputs:
        backbone = extractor.backbones.get(name)
        if backbone is None or not backbone.tokens:
            one = prepared[name]
            tensors[name] = tf.cast(one, tf.int32) if one.dtype.is_integer else one
            continue
        length = backbone.interface.input.sequence_length  # type: ignore[union-attr]
        for token, ids in prepared[name].items():
            ids = tf.pad(ids, [[0, 0], [0, length - tf.shape(ids)[1]]])
            filled = tf.ensure_shape(tf.cast(ids, tf.int32), [None, length])
            tensors[_token_name(name, token)] = filled
    return tensors


def from_tensors(
    extractor: FeatureExtractor, tensors: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """The way back, to what `FeatureExtractor.encode` takes."""
    prepared = {}
    for name in extractor.head_inputs:
        backbone = extractor.backbones.get(name)
        tokens = {} if backbone is None else backbone.tokens
        prepared[name] = (
            {
                token: tf.cast(tensors[_token_name(name, token)], spec.dtype)
                for token, spec in tokens.items()
            }
            if tokens
            else tensors[name]
        )
    return prepared


def _token_name(feature: str, token: str) -> str:
    return f"{feature}_{token}"
