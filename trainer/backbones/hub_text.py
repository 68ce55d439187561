"""Modules that turn strings into vectors, such as universal-sentence-encoder or nnlm.

https://www.tensorflow.org/hub/common_signatures/text#feature-vector
"""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import TextInput
from trainer.backbones.handles import Handle
from trainer.backbones.hub_classifier import check_no_classifier
from trainer.backbones.hub_encoder import PARTS, TOKENS
from trainer.backbones.hub_width import feature_width
from trainer.backbones.record import Interface
from trainer.backbones.saved_call import Call, brackets, choose_call, has_parts, offered, read_calls
from trainer.backbones.saved_model import read_graph


def describe(config: BackboneConfig, handle: Handle, folder: Path) -> Interface:
    """Reads the width of the vectors from the SavedModel's description.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        folder: The vendored SavedModel.

    Returns:
        Its interface.

    Raises:
        BackboneError: If it does not turn strings into feature vectors.
    """
    graph = read_graph(folder, handle.target)
    call = find_call(graph, handle.target)
    output = call.output.shape
    if output is not None and len(output) != 2:
        what = f"The model gives {brackets(output)}, not one vector per text."
        raise BackboneError(explain(what, handle.target))
    width = feature_width(call, folder, tf.constant(["text"]), handle.target)
    check_no_classifier(graph, call, width, config, handle)
    return Interface(input=TextInput(), feature_width=width)


def find_call(graph: meta_graph_pb2.MetaGraphDef, origin: str) -> Call:
    """Finds how strings are turned into vectors.

    Args:
        graph: The SavedModel's graph.
        origin: How the user knows it, for messages.

    Returns:
        The object's own `__call__`, otherwise `serving_default`.

    Raises:
        BackboneError: If none takes `[batch]` strings; the message says what
            the model is instead, as far as that is plain.
    """
    calls = read_calls(graph)
    call = choose_call(calls, _takes_strings)
    if call is not None:
        return call
    other = choose_call(calls, lambda one: one.is_one_to_one)
    if any(set(TOKENS) <= set(one.inputs) for one in calls):
        what = (
            "The model is an encoder that takes tokens, not strings: name the module that makes "
            "them with `preprocessor: hub:…`."
        )
    elif has_parts(graph, PARTS):
        what = (
            "The model makes tokens of strings: it is a `preprocessor`, and `handle` is for the "
            "encoder that takes them."
        )
    elif other:
        what = f"The model takes {other.input}, not [batch] strings."
    else:
        what = (
            "The SavedModel has neither a __call__ nor a serving_default signature that takes "
            f"strings and gives one tensor. It offers: {offered(graph)}."
        )
    raise BackboneError(explain(what, origin))


def _takes_strings(call: Call) -> bool:
    """Whether a call takes one string for each example."""
    if not call.is_one_to_one:
        return False
    return call.input.dtype == tf.string and call.input.shape in (None, (None,))
