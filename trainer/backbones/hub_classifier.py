"""Tells modules that give class scores from those that give feature vectors.

Nothing in a SavedModel says which one it is, so each sign counts: the output's
name, the last layer, the width of ImageNet's lists of classes, and the handle.
https://www.tensorflow.org/hub/common_signatures/images#classification
"""

import re
from collections.abc import Iterator

from tensorflow.core.protobuf import meta_graph_pb2

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from trainer.backbones.handles import Handle
from trainer.backbones.saved_call import Call
from trainer.backbones.saved_ops import last_layer

_VECTOR_NAMES = ("feature_vector", "default", "embedding", "embeddings")
_SCORE_NAMES = ("logits", "predictions", "probabilities", "probs", "scores", "classes")
_LAST_LAYERS = {
    "dense": "its last layer is dense and has no activation",
    "Softmax": "its last layer is a softmax",
    "Sigmoid": "its last layer is a sigmoid",
}
# ImageNet-1k and -21k, with and without a class for the background.
_CLASS_COUNTS = (1000, 1001, 21841, 21843)
_CLASSIFICATION = re.compile(r"(^|[/-])classification(/|$)")


def check_no_classifier(
    graph: meta_graph_pb2.MetaGraphDef,
    call: Call,
    width: int,
    config: BackboneConfig,
    handle: Handle,
) -> None:
    """Refuses a classifier, unless the config wants its scores for a vector.

    Args:
        graph: The SavedModel's graph.
        call: How it is called; one output.
        width: Length of the output.
        config: The backbone as the user wrote it.
        handle: Its handle.

    Raises:
        BackboneError: If the module looks like a classifier; the message says
            by what, and how to go on.
    """
    signs = ", ".join(_signs(graph, call, width, handle))
    if signs and not config.use_logits:
        what = (
            f"The model gives the scores of classes, not a feature vector ({signs}). Take its "
            "feature_vector variant, or its scores with `use_logits: true`."
        )
        raise BackboneError(explain(what, handle.target))


def _signs(
    graph: meta_graph_pb2.MetaGraphDef, call: Call, width: int, handle: Handle
) -> Iterator[str]:
    """Says what points to a classifier; nothing does where the module names its output a vector."""
    names = list(graph.signature_def["serving_default"].outputs)
    if len(names) == 1 and names[0] in _VECTOR_NAMES:
        return
    if len(names) == 1 and names[0] in _SCORE_NAMES:
        yield f"its output is called {names[0]}"
    layer = last_layer(graph, call)
    if layer in _LAST_LAYERS:
        yield _LAST_LAYERS[layer]
    if width in _CLASS_COUNTS:
        yield f"it gives {width} numbers, as many as ImageNet has classes"
    if handle.form != "path" and _CLASSIFICATION.search(handle.target):
        yield "its handle says classification"
