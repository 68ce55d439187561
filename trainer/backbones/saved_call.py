"""How a SavedModel is called and what it gives, read from its description alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_object_graph_pb2, struct_pb2

Shape = tuple[int | None, ...]

# What Keras and tf.Module hang on a saved object beside what is meant to be called.
_PLUMBING = (
    "signatures",
    "variables",
    "trainable_variables",
    "regularization_losses",
    "save_counter",
)
_MOST = 100  # More than any tensor has dimensions.


class Spec(NamedTuple):
    """A tensor's shape, None where anything goes, and type."""

    shape: Shape | None
    dtype: tf.DType

    def __str__(self) -> str:
        """Writes it as float32 [?, 224, 224, 3]."""
        return f"{self.dtype.name} {brackets(self.shape)}"


class Call(NamedTuple):
    """One way to call a SavedModel.

    Attributes:
        inputs: Tensors by name; one that is given by position has the name "".
        outputs: Tensors by name; one that is given bare has the name "".
        function: Name of the traced function in the graph; "" for the
            signature serving_default.
        takes_training: Whether the call has a `training` argument.
    """

    inputs: dict[str, Spec]
    outputs: dict[str, Spec]
    function: str = ""
    takes_training: bool = False

    @property
    def is_one_to_one(self) -> bool:
        """Whether it takes one tensor and gives one."""
        names = {*self.inputs, *self.outputs}
        bare = not self.function or names == {""}
        return bare and len(self.inputs) == len(self.outputs) == 1

    @property
    def input(self) -> Spec:
        """The only input."""
        (spec,) = self.inputs.values()
        return spec

    @property
    def output(self) -> Spec:
        """The only output."""
        (spec,) = self.outputs.values()
        return spec

    def of(self, loaded: tf.Module) -> Callable:
        """Gives the function in inference mode: a tensor or a dict of them, and the same back."""
        if not self.function:
            return self._of_signature(loaded)
        mode = {"training": False} if self.takes_training else {}
        return lambda inputs: loaded(inputs, **mode)

    def _of_signature(self, loaded: tf.Module) -> Callable:
        signature = loaded.signatures["serving_default"]

        def call(inputs: tf.Tensor | Mapping[str, tf.Tensor]) -> tf.Tensor | dict[str, tf.Tensor]:
            if isinstance(inputs, Mapping):
                return signature(**inputs)
            outputs = signature(**dict.fromkeys(self.inputs, inputs))
            return outputs[next(iter(self.outputs))]

        return call


def read_calls(graph: meta_graph_pb2.MetaGraphDef) -> list[Call]:
    """Lists the calls in inference mode.

    Args:
        graph: The SavedModel's graph.

    Returns:
        Those of the object's own `__call__`, which hub's interfaces define, and
        last the signature serving_default; what takes or gives anything but
        tensors and dicts of them is left out.
    """
    calls: list[Call] = []
    own = _children(graph).get("__call__")
    if own is not None:
        calls += _own_calls(own.function, graph.object_graph_def)
    signature = graph.signature_def.get("serving_default")
    if signature and signature.inputs and signature.outputs:
        inputs, outputs = (
            {name: Spec(_shape(one.tensor_shape), tf.as_dtype(one.dtype)) for name, one in of}
            for of in (signature.inputs.items(), signature.outputs.items())
        )
        calls.append(Call(inputs, outputs))
    return calls


def choose_call(calls: Iterable[Call], fits: Callable[[Call], bool]) -> Call | None:
    """Picks the call that takes the most shapes, the object's own first; None if none fits."""

    def rank(call: Call) -> tuple[bool, int]:
        free = (_MOST if s.shape is None else s.shape.count(None) for s in call.inputs.values())
        return bool(call.function), sum(free)

    return max(filter(fits, calls), key=rank, default=None)


def offered(graph: meta_graph_pb2.MetaGraphDef) -> str:
    """Names what a SavedModel has instead of what was looked for."""
    names = dict.fromkeys((*_children(graph), *graph.signature_def))
    shown = [name for name in names if not name.startswith("_") and name not in _PLUMBING]
    return ", ".join(shown) or "nothing"


def has_parts(graph: meta_graph_pb2.MetaGraphDef, names: Iterable[str]) -> bool:
    """Tells whether a SavedModel has sub-objects of these names."""
    return set(names) <= set(_children(graph))


def brackets(shape: Shape | None) -> str:
    """Writes a shape as [?, 224, 224, 3]; one of unknown rank as [...]."""
    if shape is None:
        return "[...]"
    return f"[{', '.join('?' if dim is None else str(dim) for dim in shape)}]"


def _children(graph: meta_graph_pb2.MetaGraphDef) -> dict:
    nodes = graph.object_graph_def.nodes
    return {child.local_name: nodes[child.node_id] for child in nodes[0].children}


def _own_calls(
    function: saved_object_graph_pb2.SavedFunction,
    objects: saved_object_graph_pb2.SavedObjectGraph,
) -> Iterator[Call]:
    """Reads the traced calls in inference mode."""
    names = list(_argument_names(function.function_spec.fullargspec))
    for name in function.concrete_functions:
        concrete = objects.concrete_functions[name]
        arguments, keywords = concrete.canonicalized_input_signature.tuple_value.values
        values = list(arguments.tuple_value.values)
        flags = [*values[1:], *keywords.dict_value.fields.values()]
        if not values or any(flag.bool_value for flag in flags):
            continue
        inputs, outputs = _tensors(values[0]), _tensors(concrete.output_signature)
        if inputs and outputs:
            yield Call(inputs, outputs, name, "training" in names)


def _argument_names(argspec: struct_pb2.StructuredValue) -> Iterator[str]:
    """Reads the names of a saved function's arguments."""
    for pair in argspec.named_tuple_value.values:
        if pair.key in ("args", "kwonlyargs"):
            yield from (value.string_value for value in pair.value.list_value.values)


def _tensors(value: struct_pb2.StructuredValue) -> dict[str, Spec]:
    """Reads a tensor, or those of a dict; empty if it is neither."""
    named = dict(value.dict_value.fields) or {"": value}
    specs = {}
    for name, one in named.items():
        kind = one.WhichOneof("kind")
        if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
            spec = getattr(one, kind)
            specs[name] = Spec(_shape(spec.shape), tf.as_dtype(spec.dtype))
    return specs


def _shape(shape: tf.compat.v1.TensorShape) -> Shape | None:
    """Turns a shape of the file into a tuple; None if its rank is unknown."""
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
