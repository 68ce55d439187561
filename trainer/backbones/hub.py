"""hub: handles: SavedModels in TF Hub's image-feature-vector interface.

The interface fixes the input range, [0, 1]:
https://www.tensorflow.org/hub/common_signatures/images#feature-vector
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import ImageInput
from trainer.backbones.archive import ARCHIVE_SUFFIXES, extract
from trainer.backbones.download import download, unreachable
from trainer.backbones.handles import Handle
from trainer.backbones.module import BackboneModule
from trainer.backbones.record import Backbone, Interface
from trainer.backbones.saved_model import Call, check_variables, model_parts, read_call
from trainer.backbones.store import content_digest, file_digest

INPUT_RANGE = (0.0, 1.0)


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
    if handle.form != "path":
        return handle.target
    path = _local(handle, base)
    if path.is_dir():
        return f"hub {content_digest(model_parts(path, str(path)))}"
    return f"hub archive sha256:{file_digest(path)}"


def stage(config: BackboneConfig, handle: Handle, base: Path, folder: Path) -> None:
    """Puts the SavedModel, checked, into an empty folder.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        base: Folder that relative paths start from.
        folder: Where the content goes.

    Raises:
        BackboneError: If it cannot be had, or is no whole SavedModel.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        found = _fetch(handle, base, Path(scratch))
        for name, path in model_parts(found, handle.target).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
    check_variables(folder, handle.target)


def describe(config: BackboneConfig, handle: Handle, folder: Path) -> Interface:
    """Reads sizes from the SavedModel's description.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        folder: The vendored SavedModel.

    Returns:
        Its interface.

    Raises:
        BackboneError: If it does not turn float RGB pictures into vectors, or
            takes any size and the config gives none.
    """
    call = read_call(folder, handle.target)
    height, width = _picture_size(call, config.size, handle.target)
    if call.outputs is not None and len(call.outputs) != 2:
        raise BackboneError(
            explain(
                f"The model gives {_brackets(call.outputs)}, not one vector per picture; take its "
                "feature_vector variant.",
                handle.target,
            )
        )
    feature_width = call.outputs[1] if call.outputs else None
    if feature_width is None:
        feature_width = _run_once(call, folder, height, width, handle.target)
    wanted = ImageInput(height=height, width=width, input_range=INPUT_RANGE)
    return Interface(input=wanted, feature_width=feature_width)


def load(backbone: Backbone, dtype: str) -> BackboneModule:
    """Loads a vendored SavedModel with tensorflow_hub.

    Args:
        backbone: The record that vendoring gave.
        dtype: Not heeded: a SavedModel's arithmetic is part of its graph.

    Returns:
        The backbone in inference mode.
    """
    loaded, apply = _callable(Path(backbone.path), read_call(Path(backbone.path), backbone.handle))
    return BackboneModule(apply, loaded, getattr(loaded, "variables", ()), backbone)


def _callable(folder: Path, call: Call) -> tuple:
    """Loads a SavedModel and gives it with its function in inference mode."""
    import tensorflow_hub as hub

    loaded = hub.load(str(folder))
    if call.signature:
        signature = loaded.signatures[call.signature]
        return loaded, lambda images: signature(**{call.input_name: images})[call.output_name]
    mode = {"training": False} if call.takes_training else {}
    return loaded, lambda images: loaded(images, **mode)


def _run_once(call: Call, folder: Path, height: int, width: int, origin: str) -> int:
    """Finds the width of the feature vector that the description leaves open."""
    loaded, apply = _callable(folder, call)
    shape = apply(tf.zeros([1, height, width, 3])).shape
    del loaded
    if shape.rank != 2:
        raise BackboneError(
            explain(f"The model gives {shape}, not one vector per picture.", origin)
        )
    return int(shape[1])


def _picture_size(call: Call, size: int | None, origin: str) -> tuple[int, int]:
    """Settles the input size between the model and the config."""
    usable = len(call.inputs) == 4 and call.inputs[0] is None and call.inputs[3] in (3, None)
    if not usable or call.input_dtype != tf.float32:
        raise BackboneError(
            explain(
                f"The model takes {call.input_dtype.name} {_brackets(call.inputs)}, not float32 "
                "[batch, height, width, 3] pictures.",
                origin,
            )
        )
    height, width = call.inputs[1] or size, call.inputs[2] or size
    if height is None or width is None:
        raise BackboneError(
            explain("The model takes pictures of any size: say which with `size: 224`.", origin)
        )
    if size is not None and (height, width) != (size, size):
        raise BackboneError(
            explain(f"The model takes {height} x {width} pictures only: leave `size` out.", size)
        )
    return height, width


def _brackets(shape: tuple[int | None, ...]) -> str:
    """Writes a shape as [?, 224, 224, 3]."""
    return f"[{', '.join('?' if dim is None else str(dim) for dim in shape)}]"


def _local(handle: Handle, base: Path) -> Path:
    """Finds a local path."""
    path = base / Path(handle.target).expanduser()
    if not path.exists():
        raise BackboneError(
            explain(f"There is no such file or folder: {path}", handle.target, see=str(base))
        )
    if path.is_file() and not path.name.endswith(ARCHIVE_SUFFIXES):
        raise BackboneError(
            explain(
                "A hub: path is a SavedModel's folder or an archive of one.",
                handle.target,
                ("a folder", *ARCHIVE_SUFFIXES),
            )
        )
    return path


def _fetch(handle: Handle, base: Path, scratch: Path) -> Path:
    """Brings the content into reach and gives its folder."""
    unpacked = scratch / "unpacked"
    unpacked.mkdir()
    if handle.form == "url":
        archive = scratch / "download"
        download(handle.target, archive)
        extract(archive, unpacked, handle.target)
    elif handle.form == "gcs":
        _copy_remote(_resolve(handle.target, scratch), unpacked, handle.target)
    else:
        path = _local(handle, base)
        if path.is_dir():
            return path
        extract(path, unpacked, handle.target)
    return unpacked


def _resolve(url: str, scratch: Path) -> str:
    """Lets tensorflow_hub find a gs:// handle, with its cache in our scratch folder."""
    import tensorflow_hub as hub

    with _cache_in(scratch / "cache"):
        try:
            return hub.resolve(url)
        except (tf.errors.OpError, OSError, ValueError) as error:
            raise BackboneError(unreachable(url, _first_line(error), "hub")) from error


def _copy_remote(remote: str, folder: Path, origin: str) -> None:
    """Copies a folder of any file system that TensorFlow knows."""
    try:
        for parent, _, names in tf.io.gfile.walk(remote):
            inside = folder / parent.removeprefix(remote).strip("/")
            inside.mkdir(parents=True, exist_ok=True)
            for name in names:
                tf.io.gfile.copy(f"{parent.rstrip('/')}/{name}", str(inside / name))
    except tf.errors.OpError as error:
        raise BackboneError(unreachable(origin, _first_line(error), "hub")) from error


def _first_line(error: Exception) -> OSError:
    """Shortens TensorFlow's report of a failed request."""
    return OSError(str(error).splitlines()[0])


@contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    """Points tensorflow_hub's cache at a folder for a while."""
    before = os.environ.get("TFHUB_CACHE_DIR")
    os.environ["TFHUB_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TFHUB_CACHE_DIR"]
        else:
            os.environ["TFHUB_CACHE_DIR"] = before
