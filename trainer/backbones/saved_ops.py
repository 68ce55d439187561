"""Which layer a SavedModel ends in, read from its graph without loading it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tensorflow.core.framework import function_pb2, node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from trainer.backbones.saved_call import Call

# They hand values on, in another shape at most.
_PASSING = ("Identity", "IdentityN", "Squeeze", "Reshape", "Cast", "EnsureShape", "StopGradient")
_CALLING = ("PartitionedCall", "StatefulPartitionedCall")
_ADDING = ("BiasAdd", "Add", "AddV2")
_DENSE = ("MatMul", "Conv2D", "BatchMatMulV2")
_PARAMETER = ("ReadVariableOp", "Const", "VariableV2")


class _Frame(NamedTuple):
    """A graph, or a function with where it is called from."""

    nodes: Mapping[str, node_def_pb2.NodeDef]
    arguments: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    caller: "_Frame | None" = None


def last_layer(graph: meta_graph_pb2.MetaGraphDef, call: Call) -> str:
    """Names what the output of a call comes from.

    Args:
        graph: The SavedModel's graph.
        call: One of its calls, with one output.

    Returns:
        "dense" for a matrix product or convolution plus a bias and nothing
        after it, the operation's own name, such as Softmax or Mean, for
        anything else, "" where it cannot be followed.
    """
    functions = {one.signature.name: one for one in graph.graph_def.library.function}
    frame = _Frame(_by_name(graph.graph_def.node))
    if call.function:
        function = functions[call.function]
        frame, tensor = _inside(function), next(iter(function.ret.values()))
    else:
        tensor = graph.signature_def["serving_default"].outputs[next(iter(call.outputs))].name
    end = _source(tensor, frame, functions)
    if end is None:
        return ""
    node, frame = end
    if node.op not in _ADDING:
        return node.op
    added = [_source(one, frame, functions) for one in node.input[:2]]
    ops = [one[0].op if one else "" for one in added]
    biased = node.op == "BiasAdd" or any(op in _PARAMETER for op in ops)
    return "dense" if biased and any(op in _DENSE for op in ops) else node.op


def _source(
    tensor: str, frame: _Frame, functions: Mapping[str, function_pb2.FunctionDef]
) -> tuple[node_def_pb2.NodeDef, _Frame] | None:
    """Follows a tensor up to the operation that computes it, through calls."""
    while True:
        name, *rest = tensor.split(":")
        if name not in frame.nodes:
            if name not in frame.arguments or frame.caller is None:
                return None
            tensor, frame = frame.inputs[frame.arguments.index(name)], frame.caller
            continue
        node = frame.nodes[name]
        index = int(rest[-1]) if rest else 0
        if node.op in _PASSING:
            tensor = node.input[index if node.op == "IdentityN" else 0]
        elif node.op in _CALLING:
            function = functions[node.attr["f"].func.name]
            tensor = function.ret[function.signature.output_arg[index].name]
            frame = _inside(function, tuple(node.input), frame)
        else:
            return node, frame


def _inside(
    function: function_pb2.FunctionDef,
    inputs: tuple[str, ...] = (),
    caller: _Frame | None = None,
) -> _Frame:
    names = tuple(one.name for one in function.signature.input_arg)
    return _Frame(_by_name(function.node_def), names, inputs, caller)


def _by_name(nodes: Iterable[node_def_pb2.NodeDef]) -> dict[str, node_def_pb2.NodeDef]:
    return {node.name: node for node in nodes}
