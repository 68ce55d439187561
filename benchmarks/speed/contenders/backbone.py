"""What a contender must know of a SavedModel before it loads it."""

from pathlib import Path

import tensorflow_hub as hub
from tensorflow.core.protobuf import saved_model_pb2

SIGNATURES = ("default", "serving_default")
USUAL_SIDE = 224


def picture_size(handle: str) -> list[int]:
    """Reads height and width of the pictures that a backbone takes.

    Loading one takes seconds; its description says it at once.

    Args:
        handle: Folder or address of a SavedModel with one picture as its input.

    Returns:
        Both, 224 where the model takes any.
    """
    content = (Path(hub.resolve(handle)) / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]
    found = next(graph.signature_def[name] for name in SIGNATURES if name in graph.signature_def)
    (wanted,) = found.inputs.values()
    sides = [dim.size for dim in wanted.tensor_shape.dim[1:3]]
    return [side if side > 0 else USUAL_SIDE for side in sides or [-1, -1]]
