"""Finds a SavedModel in a folder and reads its description, without loading its graph.

Loading a MobileNetV2 takes seconds; its description is parsed in a fraction of
one. saved_call.py says what is in it.
"""

from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from preprocessing.errors import BackboneError, explain

# Relative to the model's folder; anything else there is not needed to load it.
_FILES = ("saved_model.pb", "fingerprint.pb")
_FOLDERS = ("variables", "assets")


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


def read_graph(folder: Path, origin: str) -> meta_graph_pb2.MetaGraphDef:
    """Parses the graph that is meant for serving.

    Args:
        folder: The SavedModel.
        origin: How the user knows it, for messages.

    Returns:
        The graph with its signatures, functions and objects.

    Raises:
        BackboneError: If the file is damaged, or of TF1.
    """
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((folder / "saved_model.pb").read_bytes())
    except DecodeError as error:
        raise BackboneError(explain("saved_model.pb is truncated or damaged.", origin)) from error
    tags = sorted({tag for graph in model.meta_graphs for tag in graph.meta_info_def.tags})
    graphs = [graph for graph in model.meta_graphs if "serve" in graph.meta_info_def.tags]
    if tags and not graphs:
        what = f"The SavedModel has no graph tagged 'serve', only: {', '.join(tags)}."
        raise BackboneError(explain(what, origin))
    if not graphs or not graphs[0].object_graph_def.nodes:
        raise BackboneError(_tf1(origin))
    return graphs[0]


def _tf1(origin: str) -> str:
    """The message for models from before TF2."""
    return explain(
        "This is a TF1 hub module; only TF2 SavedModels can be loaded. "
        "Most have a TF2 version: a higher last number of the handle.",
        origin,
    )
