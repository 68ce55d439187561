"""Reads what a SavedModel says about itself, without loading its graph.

Loading a MobileNetV2 takes seconds; its description is parsed in a fraction of
one. Here is also what counts as a usable image backbone, and what else a folder
may turn out to be.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2, saved_object_graph_pb2, struct_pb2

from preprocessing.errors import BackboneError, explain

# Relative to the model's folder; anything else there is not needed to load it.
_FILES = ("saved_model.pb", "fingerprint.pb")
_FOLDERS = ("variables", "assets")

Shape = tuple[int | None, ...]


class Call(NamedTuple):
    """How a SavedModel is called and what it gives.

    Attributes:
        inputs: Shape of the input, None where any size goes.
        input_dtype: Its type.
        outputs: Shape of the output, None where unknown.
        signature: Name of the signature to call; None means the object itself.
        takes_training: Whether the object's call has a `training` argument.
        input_name: Name of the input in the signature.
        output_name: Name of the output in the signature.
    """

    inputs: Shape
    input_dtype: tf.DType
    outputs: Shape | None
    signature: str | None = None
    takes_training: bool = False
    input_name: str = ""
    output_name: str = ""


def model_parts(folder: Path, origin: str) -> dict[str, Path]:
    """Lists the files of the SavedModel in a folder, or in its only sub-folder.

    Args:
        folder: The folder.
        origin: How the user knows it, for messages.

    Returns:
        Name relative to the model -> path.

    Raises:
        BackboneError: If there is no SavedModel, or it is a TF1 hub module;
            the message says what was found.
    """
    names = sorted(path.name for path in folder.iterdir())
    if len(names) == 1 and (folder / names[0]).is_dir():
        return model_parts(folder / names[0], origin)
    if "tfhub_module.pb" in names:
        raise BackboneError(_tf1(origin))
    if "saved_model.pb" not in names:
        found = ", ".join(names[:10]) + (", …" if len(names) > 10 else "") or "nothing"
        raise BackboneError(explain(f"No SavedModel (saved_model.pb) here, but: {found}.", origin))
    parts = {name: folder / name for name in _FILES if name in names}
    for name in _FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            if path.is_file():
                parts[path.relative_to(folder).as_posix()] = path
    return parts


def check_variables(folder: Path, origin: str) -> None:
    """Reads every variable once; each carries a checksum.

    Args:
        folder: The SavedModel.
        origin: How the user knows it, for messages.

    Raises:
        BackboneError: If a file of variables is missing, truncated or damaged.
    """
    if not (folder / "variables").exists():
        return
    try:
        reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, RuntimeError, ValueError, LookupError) as error:
        reason = str(error).splitlines()[0]
        raise BackboneError(
            explain(f"The SavedModel's variables are incomplete or damaged: {reason}", origin)
        ) from error


def read_call(folder: Path, origin: str) -> Call:
    """Finds how a SavedModel is to be called.

    The object's own `__call__` comes first, because hub's interface defines it;
    otherwise the only output of `serving_default`.

    Args:
        folder: The SavedModel.
        origin: How the user knows it, for messages.

    Returns:
        The call, not yet checked to be an image backbone's.

    Raises:
        BackboneError: If the file is damaged, a TF1 module, or offers no call
            with one input and one output.
    """
    graph = _meta_graph(folder, origin)
    nodes = graph.object_graph_def.nodes
    if not nodes:
        raise BackboneError(_tf1(origin))
    children = {child.local_name: nodes[child.node_id] for child in nodes[0].children}
    if "__call__" in children:
        call = _own_call(children["__call__"].function, graph.object_graph_def)
        if call:
            return call
    signature = graph.signature_def.get("serving_default")
    if signature and len(signature.inputs) == 1 and len(signature.outputs) == 1:
        (input_name, given), (output_name, result) = (
            next(iter(signature.inputs.items())),
            next(iter(signature.outputs.items())),
        )
        return Call(
            inputs=_shape(given.tensor_shape) or (),
            input_dtype=tf.as_dtype(given.dtype),
            outputs=_shape(result.tensor_shape),
            signature="serving_default",
            input_name=input_name,
            output_name=output_name,
        )
    offered = [
        name
        for name in (*children, *graph.signature_def)
        if not name.startswith("_") and name != "signatures"
    ]
    raise BackboneError(
        explain(
            "The SavedModel has neither a __call__ nor a serving_default signature that takes one "
            f"tensor and gives one. It offers: {', '.join(offered) or 'nothing'}.",
            origin,
        )
    )


def _meta_graph(folder: Path, origin: str) -> saved_model_pb2.SavedModel:
    """Parses the graph that is meant for serving."""
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((folder / "saved_model.pb").read_bytes())
    except DecodeError as error:
        raise BackboneError(explain("saved_model.pb is truncated or damaged.", origin)) from error
    for graph in model.meta_graphs:
        if "serve" in graph.meta_info_def.tags:
            return graph
    tags = sorted({tag for graph in model.meta_graphs for tag in graph.meta_info_def.tags})
    if not model.meta_graphs or not tags:
        raise BackboneError(_tf1(origin))
    raise BackboneError(
        explain(f"The SavedModel has no graph tagged 'serve', only: {', '.join(tags)}.", origin)
    )


def _own_call(
    function: saved_object_graph_pb2.SavedFunction,
    objects: saved_object_graph_pb2.SavedObjectGraph,
) -> Call | None:
    """Reads the traced calls in inference mode; the most general one wins."""
    names = list(_argument_names(function.function_spec.fullargspec))
    calls = []
    for name in function.concrete_functions:
        concrete = objects.concrete_functions[name]
        arguments, keywords = concrete.canonicalized_input_signature.tuple_value.values
        values = list(arguments.tuple_value.values)
        flags = [*values[1:], *keywords.dict_value.fields.values()]
        if not values or any(flag.bool_value for flag in flags):
            continue
        given, result = _tensor(values[0]), _tensor(concrete.output_signature)
        if given and result:
            calls.append(
                Call(
                    inputs=_shape(given.shape) or (),
                    input_dtype=tf.as_dtype(given.dtype),
                    outputs=_shape(result.shape),
                    takes_training="training" in names,
                )
            )
    return max(calls, key=lambda call: call.inputs.count(None), default=None)


def _argument_names(argspec: struct_pb2.StructuredValue) -> Iterator[str]:
    """Reads the names of a saved function's arguments."""
    for pair in argspec.named_tuple_value.values:
        if pair.key in ("args", "kwonlyargs"):
            yield from (value.string_value for value in pair.value.list_value.values)


def _tensor(
    value: struct_pb2.StructuredValue,
) -> struct_pb2.TensorSpecProto | None:
    """The tensor that a structured value is, if it is just one."""
    kind = value.WhichOneof("kind")
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        return getattr(value, kind)
    return None


def _shape(shape: tf.compat.v1.TensorShape) -> Shape | None:
    """Turns a shape of the file into a tuple; None if its rank is unknown."""
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in shape.dim)


def _tf1(origin: str) -> str:
    """The message for models from before TF2."""
    return explain(
        "This is a TF1 hub module; only TF2 SavedModels can be loaded. "
        "Most have a TF2 version: a higher last number of the handle.",
        origin,
    )
