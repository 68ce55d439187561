"""What the input is, told from what is there, and whether the model can take it.

Where a kind cannot be told, the user names it.
"""

import os
import posixpath
from collections.abc import Mapping, Sequence

import tensorflow as tf

from components.example_gen.config import CsvSource, ImageFolderSource, Source, TfRecordSource
from components.example_gen.slices import columns_of_records
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.tfrecord import find_files
from preprocessing.errors import UsageError, explain
from preprocessing.formats import EXTENSIONS
from preprocessing.model_info import ModelInfo

KINDS: Mapping[str, type] = {
    "image_folder": ImageFolderSource,
    "csv": CsvSource,
    "tfrecord": TfRecordSource,
}
_TABLES = (".csv", ".tsv", ".txt")
_RECORDS = "tfrecord"
_WILD = ("*", "?", "[")


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
    exists = tf.io.gfile.exists(path)
    wild = not exists and any(sign in path for sign in _WILD)
    if not wild and not exists:
        parent = posixpath.dirname(path) or "."
        beside = sorted(tf.io.gfile.listdir(parent))[:20] if tf.io.gfile.isdir(parent) else []
        names = [posixpath.join(posixpath.dirname(path), name) for name in beside]
        raise UsageError(explain("The input does not exist", path, names))
    folder = exists and tf.io.gfile.isdir(path)
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
        names = [one for one in tf.io.gfile.listdir(path) if not one.startswith(".")]
        return "tfrecord" if names and all(_RECORDS in one for one in names) else "image_folder"
    if name.endswith(_TABLES):
        return "csv"
    if _RECORDS in name or wild:
        return "tfrecord"
    what = "It cannot be told what the input is; say so with --kind"
    if os.path.splitext(name)[1] in EXTENSIONS:
        what = "The input is one picture; give the folder that it is in"
    raise UsageError(explain(what, path, KINDS))


def columns_of(source: Source, info: ModelInfo, keep: Sequence[str]) -> Columns:
    """Says which columns the model needs of a source.

    Args:
        source: What `find_source` found.
        info: What the model takes.
        keep: Columns that the user wants beside the predictions.

    Returns:
        The columns; labels are taken along where there are some.

    Raises:
        UsageError: If the source cannot have them.
    """
    columns = Columns.of(info.features, info.label, keep).model_copy(update={"labelled": False})
    if isinstance(source, ImageFolderSource):
        kinds = {name: feature.kind for name, feature in info.features.items()}
        if list(kinds.values()) != ["image"]:
            what = (
                "The model takes something else than one picture, so it needs a table or TFRecords"
            )
            raise UsageError(explain(what, kinds))
        if keep:
            raise UsageError(explain("A folder of pictures has no columns to keep", keep[0]))
    elif isinstance(source, TfRecordSource):
        return _columns_in_records(find_files(source)[None], columns)
    return columns


def _columns_in_records(files: Sequence[str], columns: Columns) -> Columns:
    """Takes the user's names of the columns or, in examples of ours, those of the features."""
    found = columns_of_records(files)
    features = columns.features
    if not all(one.column in found for one in features.values()) and set(features) <= set(found):
        features = {name: one.model_copy(update={"column": name}) for name, one in features.items()}
        columns = columns.model_copy(update={"features": features})
    needed = [one.column for one in features.values() if one.missing == "reject"]
    for name in [*needed, *columns.carry]:
        # A first record that is no tf.Example says nothing of the others.
        if found and name not in found:
            raise UsageError(explain(f"{files[0]}: the records have no such column.", name, found))
    return columns
