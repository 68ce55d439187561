"""Loads of a SavedModel what one of its calls needs, and nothing else.

A model that Keras has saved holds functions of each of its layers, which nobody
here calls: a MobileNetV2 has 629 of them and needs one. Loading all takes 4.5 s
of CPU, loading the one 1.2 s.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tensorflow.core.framework import function_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from trainer.backbones.saved_call import Call

# Objects that do nothing while they are loaded. Others, such as tables, have
# functions that fill them, and assets that must stay where they are.
_PASSIVE = {"user_object", "variable", "constant", "function", "bare_concrete_function"}
_NOTHING = "_generic_user_object"


def load_call(folder: Path, graph: meta_graph_pb2.MetaGraphDef, call: Call) -> Any:
    """Loads a SavedModel for one call.

    Args:
        folder: The SavedModel.
        graph: Its graph, as saved_model.py reads it.
        call: One of its calls.

    Returns:
        What hub.load gives, with all variables; where the model allows it, no
        other call will work.
    """
    import tensorflow_hub as hub

    if not _can_be_pruned(graph, call):
        return hub.load(str(folder))
    model = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    model.meta_graphs.append(prune(graph, call.function))
    with tempfile.TemporaryDirectory(prefix="graft-pruned-") as name:
        (Path(name) / "saved_model.pb").write_bytes(model.SerializeToString())
        (Path(name) / "variables").symlink_to(folder.absolute() / "variables")
        return hub.load(name)


def prune(graph: meta_graph_pb2.MetaGraphDef, function: str) -> meta_graph_pb2.MetaGraphDef:
    """Takes functions out of a graph that another one does not use.

    Args:
        graph: A SavedModel's graph; is not changed.
        function: Name of the function to keep.

    Returns:
        A graph with the same objects under the same numbers.
    """
    pruned = meta_graph_pb2.MetaGraphDef()
    pruned.CopyFrom(graph)
    library, objects = pruned.graph_def.library, pruned.object_graph_def
    functions = {one.signature.name: one for one in graph.graph_def.library.function}
    # A gradient may be asked for by a name that no operation shows.
    gradients = [one.gradient_func for one in (*library.gradient, *library.registered_gradients)]
    kept = _reachable([function, *gradients], functions)
    del library.function[:]
    library.function.extend(one for name, one in functions.items() if name in kept)
    for name in set(objects.concrete_functions) - kept:
        del objects.concrete_functions[name]
    for node in objects.nodes:
        if node.WhichOneof("kind") == "function":
            names = [name for name in node.function.concrete_functions if name in kept]
            node.function.concrete_functions[:] = names
        named = node.bare_concrete_function.concrete_function_name
        if named and named not in kept:
            # Objects are known by their number, so one has to stay.
            node.user_object.identifier = _NOTHING
            node.user_object.version.producer = 1
    return pruned


def _can_be_pruned(graph: meta_graph_pb2.MetaGraphDef, call: Call) -> bool:
    nodes = graph.object_graph_def.nodes
    return bool(call.function) and {node.WhichOneof("kind") for node in nodes} <= _PASSIVE


def _reachable(names: Iterable[str], functions: Mapping[str, function_pb2.FunctionDef]) -> set[str]:
    """Names the functions that these ones come to call, and themselves."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in functions and name not in found:
            found.add(name)
            todo += _called(functions[name])
    return found


def _called(function: function_pb2.FunctionDef) -> Iterator[str]:
    for node in function.node_def:
        yield node.op
        for attribute in node.attr.values():
            yield attribute.func.name
            yield from (one.name for one in attribute.list.func)
