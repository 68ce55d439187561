"""hub: handles: SavedModels in the interfaces of TF Hub.

hub_image.py has the image feature vectors, hub_text.py the modules that turn
strings into vectors, hub_encoder.py the text encoders with their preprocessor;
hub_fetch.py brings their files.
"""

import shutil
import tempfile
from pathlib import Path

import tensorflow as tf

from preprocessing.config import BackboneConfig
from preprocessing.inputs import TextInput
from trainer.backbones import hub_encoder, hub_image, hub_text
from trainer.backbones.handles import Handle, parse_preprocessor
from trainer.backbones.hub_fetch import fetch, find_local
from trainer.backbones.hub_layers import trainable_layers, variables_of
from trainer.backbones.module import BackboneModule
from trainer.backbones.record import Backbone, Interface
from trainer.backbones.saved_call import read_calls
from trainer.backbones.saved_model import check_variables, model_parts, read_graph
from trainer.backbones.saved_prune import load_call
from trainer.backbones.store import content_digest, file_digest


def source(config: BackboneConfig, handle: Handle, base: Path) -> str:
    """Names what the handle stands for; local content by its digest.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        base: Folder that relative paths start from.

    Returns:
        A string that changes when the content may have changed.

    Raises:
        BackboneError: If a local path does not exist or is no SavedModel.
    """
    preprocessor = parse_preprocessor(config)
    if preprocessor is None:
        return _source(handle, base)
    return f"{_source(handle, base)} after {_source(preprocessor, base)}"


def stage(config: BackboneConfig, handle: Handle, base: Path, folder: Path) -> None:
    """Puts the SavedModel, or encoder and preprocessor, checked, into an empty folder.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        base: Folder that relative paths start from.
        folder: Where the content goes.

    Raises:
        BackboneError: If it cannot be had, or is no whole SavedModel.
    """
    preprocessor = parse_preprocessor(config)
    if preprocessor is None:
        _stage(handle, base, folder, folder.parent)
        return
    _stage(handle, base, folder / hub_encoder.ENCODER, folder.parent)
    _stage(preprocessor, base, folder / hub_encoder.PREPROCESSOR, folder.parent)


def describe(config: BackboneConfig, handle: Handle, folder: Path) -> Interface:
    """Reads sizes from the SavedModel's description.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle; where it leaves the modality open, the model settles it.
        folder: The vendored content.

    Returns:
        Its interface.

    Raises:
        BackboneError: If it does not turn pictures or texts, as the handle
            wants, into vectors, or the config's keys do not fit it.
    """
    if config.preprocessor is not None:
        return hub_encoder.describe(config, folder)
    calls = read_calls(read_graph(folder, handle.target))
    takes_strings = any(one.is_one_to_one and one.input.dtype == tf.string for one in calls)
    if handle.modality == "text" or (handle.modality is None and takes_strings):
        return hub_text.describe(config, handle, folder)
    return hub_image.describe(config, handle, folder)


def load(backbone: Backbone, dtype: str) -> BackboneModule:
    """Loads a vendored SavedModel with tensorflow_hub, for one call alone.

    Args:
        backbone: The record that vendoring gave.
        dtype: Not heeded: a SavedModel's arithmetic is part of its graph.

    Returns:
        The backbone in inference mode.
    """
    folder = Path(backbone.path)
    if (folder / hub_encoder.PREPROCESSOR).exists():
        return hub_encoder.load(backbone)
    find_call = hub_text.find_call if isinstance(backbone.input, TextInput) else hub_image.find_call
    graph = read_graph(folder, backbone.handle)
    call = find_call(graph, backbone.handle)
    loaded = load_call(folder, graph, call)
    layers = trainable_layers(loaded)
    return BackboneModule(call.of(loaded), loaded, variables_of(loaded), backbone, layers=layers)


def _source(handle: Handle, base: Path) -> str:
    """Names what one handle stands for."""
    if handle.form != "path":
        return handle.target
    path = find_local(handle, base)
    if path.is_dir():
        return f"hub {content_digest(model_parts(path, str(path)))}"
    return f"hub archive sha256:{file_digest(path)}"


def _stage(handle: Handle, base: Path, folder: Path, near: Path) -> None:
    """Puts one SavedModel, checked, into a folder."""
    with tempfile.TemporaryDirectory(dir=near) as scratch:
        found = fetch(handle, base, Path(scratch))
        for name, path in model_parts(found, handle.target).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
    check_variables(folder, handle.target)
