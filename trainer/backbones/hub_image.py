"""Modules in TF Hub's image-feature-vector interface.

The interface fixes the input range, [0, 1]:
https://www.tensorflow.org/hub/common_signatures/images#feature-vector
"""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import ImageInput
from trainer.backbones.handles import Handle
from trainer.backbones.hub_classifier import check_no_classifier
from trainer.backbones.hub_width import feature_width
from trainer.backbones.record import Interface
from trainer.backbones.saved_call import Call, Spec, brackets, choose_call, offered, read_calls
from trainer.backbones.saved_model import read_graph

INPUT_RANGE = (0.0, 1.0)


def describe(config: BackboneConfig, handle: Handle, folder: Path) -> Interface:
    """Reads sizes from the SavedModel's description.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        folder: The vendored SavedModel.

    Returns:
        Its interface.

    Raises:
        BackboneError: If it does not turn float RGB pictures into feature
            vectors, or takes any size and the config gives none.
    """
    graph = read_graph(folder, handle.target)
    call = find_call(graph, handle.target)
    height, width = _picture_size(call.input, config.size, handle.target)
    output = call.output.shape
    if output is not None and len(output) != 2:
        what = f"The model gives {brackets(output)}, not one vector per picture; take its "
        raise BackboneError(explain(f"{what}feature_vector variant.", handle.target))
    vector = feature_width(call, folder, tf.zeros([1, height, width, 3]), handle.target)
    check_no_classifier(graph, call, vector, config, handle)
    wanted = ImageInput(height=height, width=width, input_range=INPUT_RANGE)
    return Interface(input=wanted, feature_width=vector)


def find_call(graph: meta_graph_pb2.MetaGraphDef, origin: str) -> Call:
    """Finds how pictures are turned into vectors.

    Args:
        graph: The SavedModel's graph.
        origin: How the user knows it, for messages.

    Returns:
        The object's own `__call__`, because hub's interface defines it;
        otherwise the only output of `serving_default`.

    Raises:
        BackboneError: If no call takes one tensor and gives one.
    """
    call = choose_call(read_calls(graph), lambda one: one.is_one_to_one)
    if call is None:
        what = (
            "The SavedModel has neither a __call__ nor a serving_default signature that takes one "
            f"tensor and gives one. It offers: {offered(graph)}."
        )
        raise BackboneError(explain(what, origin))
    return call


def _picture_size(given: Spec, size: int | None, origin: str) -> tuple[int, int]:
    """Settles the input size between the model and the config."""
    shape = given.shape or ()
    usable = len(shape) == 4 and shape[0] is None and shape[3] in (3, None)
    if not usable or given.dtype != tf.float32:
        what = f"The model takes {given}, not float32 [batch, height, width, 3] pictures."
        raise BackboneError(explain(what, origin))
    height, width = shape[1] or size, shape[2] or size
    if height is None or width is None:
        what = "The model takes pictures of any size: say which with `size: 224`."
        raise BackboneError(explain(what, origin))
    if size is not None and (height, width) != (size, size):
        what = f"The model takes {height} x {width} pictures only: leave `size` out."
        raise BackboneError(explain(what, size))
    return height, width
