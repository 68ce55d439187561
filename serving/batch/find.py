"""Which model, input and output a user means, told from what is there.

Imports no TensorFlow for what lies on this machine, so that a path that is
wrong is refused at once. Where the kind of an input cannot be told, the user
names it; a new kind is a source in KINDS.
"""

import os
import posixpath
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from components.example_gen.config import CsvSource, ImageFolderSource, Source, TfRecordSource
from components.pusher.files import is_address
from preprocessing.errors import UsageError, explain
from preprocessing.formats import EXTENSIONS
from serving.batch.request import SUFFIXES, BatchRequest

KINDS: Mapping[str, type] = {
    "image_folder": ImageFolderSource,
    "csv": CsvSource,
    "tfrecord": TfRecordSource,
}
_TABLES = (".csv", ".tsv", ".txt")
_RECORDS = "tfrecord"
_WILD = ("*", "?", "[")
_FILE = "saved_model.pb"
# Where the Trainer's artifact has the model that is served.
_TRAINED = "Format-Serving"
# Names in a message, at most.
_NAMED = 20
_LOCAL = SimpleNamespace(exists=os.path.exists, isdir=os.path.isdir, listdir=os.listdir)


def check_paths(request: BatchRequest) -> None:
    """Refuses what is wrong with the paths of a request.

    Raises:
        UsageError: If one is not there, is of no known kind or format, or
            would be overwritten.
    """
    format_of(request.output)
    if _exists(request.output) and not request.overwrite:
        raise UsageError(explain("The output exists; replace it with --overwrite", request.output))
    find_model(request.model)
    find_source(request.input, request.kind)


class FoundModel(NamedTuple):
    """A SavedModel's folder and, where it is the newest of several versions, of how many."""

    path: str
    newest_of: int | None = None


def find_model(folder: str) -> FoundModel:
    """Finds the model to take.

    Args:
        folder: A SavedModel's own folder, such as a pushed version; a folder of
            versions, of which the newest is taken; or the Trainer's artifact.

    Returns:
        The model.

    Raises:
        UsageError: If there is none; with what is there instead.
    """
    folder = folder.rstrip("/")
    if not _is_folder(folder):
        parent = posixpath.dirname(folder)
        beside = [posixpath.join(parent, name) for name in _listed(parent or ".")[:_NAMED]]
        what = "The model must be a folder, and there is none of this name"
        raise UsageError(explain(what, folder, beside))
    if _is_model(folder):
        return FoundModel(folder)
    versions = sorted(
        (int(name) for name in _listed(folder) if name.isdecimal() and name.isascii()), reverse=True
    )
    models = [str(one) for one in versions if _is_model(posixpath.join(folder, str(one)))]
    if models:
        chosen = posixpath.join(folder, models[0])
        return FoundModel(chosen, len(models) if len(models) > 1 else None)
    trained = posixpath.join(folder, _TRAINED)
    if _is_model(trained):
        return FoundModel(trained)
    raise _not_a_model(folder)


def format_of(path: str) -> str:
    """Returns the suffix that says how a file is written.

    Raises:
        UsageError: If it says nothing.
    """
    suffix = posixpath.splitext(path)[1]
    if suffix not in SUFFIXES:
        raise UsageError(explain("--output: the suffix must name a format", path, SUFFIXES))
    return suffix


def find_source(path: str, kind: str | None = None) -> Source:
    """Tells what an input is.

    Args:
        path: A folder of pictures; a table; a TFRecord file, a folder of such
            or a pattern.
        kind: A key of KINDS; None where its name tells.

    Returns:
        The source as a config would have it.

    Raises:
        UsageError: If there is no such input, or it cannot be told what it is.
    """
    path = path.rstrip("/") or path
    exists = _exists(path)
    wild = not exists and any(sign in path for sign in _WILD)
    if not wild and not exists:
        parent = posixpath.dirname(path) or "."
        beside = _listed(parent)[:_NAMED]
        names = [posixpath.join(posixpath.dirname(path), name) for name in beside]
        raise UsageError(explain("The input does not exist", path, names))
    folder = exists and _is_folder(path)
    kind = kind or _kind_of(path, folder, wild)
    if kind == "tfrecord" and folder:
        path = posixpath.join(path, "*")
    if (kind, folder) in (("csv", True), ("image_folder", False)):
        what = f"--kind {kind}: the input is a {'folder' if folder else 'file'}"
        raise UsageError(explain(what, path))
    return KINDS[kind](kind=kind, path=path)


def _kind_of(path: str, folder: bool, wild: bool) -> str:
    name = posixpath.basename(path).lower()
    if folder:
        names = _listed(path)
        return "tfrecord" if names and all(_RECORDS in one for one in names) else "image_folder"
    if name.endswith(_TABLES):
        return "csv"
    if _RECORDS in name or wild:
        return "tfrecord"
    what = "It cannot be told what the input is; say so with --kind"
    if os.path.splitext(name)[1] in EXTENSIONS:
        what = "The input is one picture; give the folder that it is in"
    raise UsageError(explain(what, path, KINDS))


def _not_a_model(folder: str) -> UsageError:
    what = f"This folder is no model: it has no {_FILE}, no versions and no {_TRAINED}/"
    names = _listed(folder)[:_NAMED]
    below = [posixpath.join(folder, name) for name in names]
    inner = [posixpath.join(one, name) for one in below for name in _listed(one)[-_NAMED:]]
    models = [one for one in (*below, *inner) if _is_model(one) or _is_model(f"{one}/{_TRAINED}")]
    more = f"There is a model in {models[-1]}" if models else f"It holds: {', '.join(names)}"
    return UsageError(explain(what, folder) + f"\n  {more}")


def _is_model(folder: str) -> bool:
    return _exists(posixpath.join(folder, _FILE))


def _listed(folder: str) -> list[str]:
    if not _is_folder(folder):
        return []
    try:
        names = sorted(name.rstrip("/") for name in _file_system(folder).listdir(folder))
    except PermissionError as error:
        raise UsageError(explain(f"The folder cannot be read: {error.strerror}", folder)) from None
    return [name for name in names if name and not name.startswith(".")]


def _exists(path: str) -> bool:
    return bool(_file_system(path).exists(path))


def _is_folder(path: str) -> bool:
    return bool(_file_system(path).isdir(path))


def _file_system(path: str) -> Any:
    """What has `exists`, `isdir` and `listdir` for a path."""
    if is_address(path):
        import tensorflow as tf

        return tf.io.gfile
    return _LOCAL
