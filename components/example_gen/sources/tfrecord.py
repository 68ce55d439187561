"""TFRecord files of tf.Examples: which there are, and whether they are whole.

The stock ImportExampleGen reads them, and it stops at a file that is damaged or
absent in words of its own; so that is looked for before anything runs. What
their records hold is judged by ../screen.py.
"""

import os

import tensorflow as tf

from components.example_gen.config import DataConfig, TfRecordSource
from components.example_gen.sources.refusals import explained
from components.example_gen.sources.split_names import paths_of
from preprocessing.errors import ConfigError, DataError, explain

_GZIP = b"\x1f\x8b"


def source_of(config: DataConfig) -> TfRecordSource:
    """Returns the source, which must be of this kind.

    Raises:
        ConfigError: If it is of another one.
    """
    if not isinstance(config.source, TfRecordSource):
        what = "data.source.kind: only tf.Examples of others are imported and screened."
        raise ConfigError(explain(what, config.source.kind, ["tfrecord"]))
    return config.source


def find_files(source: TfRecordSource) -> dict[str | None, list[str]]:
    """Lists the source's files and makes sure that they can be read.

    The first record of each is read. In files on this machine that are not
    compressed, the lengths of all records are followed to the end as well,
    without reading the records.

    Args:
        source: One path or pattern, or one for each split.

    Returns:
        The sorted files of each split; under None where one pattern holds all.

    Raises:
        DataError: If a pattern matches nothing, or a file is no TFRecord file,
            is cut short, or cannot be read.
    """
    with explained(source.path):
        return {
            split: _files_of(split, pattern) for split, pattern in paths_of(source.path).items()
        }


def patterns(source: TfRecordSource) -> tuple[str, dict[str | None, str]]:
    """Parts the paths into the folder that they share and what is below it.

    Args:
        source: One path or pattern, or one for each split.

    Returns:
        The folder, and for each split the pattern relative to it.

    Raises:
        ConfigError: If the paths have no folder in common, such as a disk's and
            a bucket's.
    """
    paths = paths_of(source.path)
    folders = [os.path.dirname(path).split("/") for path in paths.values()]
    # Works on lists as on texts; os.path.commonpath would take the second slash
    # from gs://.
    shared = os.path.commonprefix(folders)
    if not shared or "://" in folders[0] and len(shared) < 3:
        what = "data.source.path: the files of all splits must be in one place."
        raise ConfigError(explain(what, source.path))
    base = "/".join(shared) or "/"
    if base.endswith(":/"):
        base += "/"
    return base, {split: path[len(base) :].lstrip("/") for split, path in paths.items()}


def compression(path: str) -> str:
    """Returns TensorFlow's name for a file's compression; its extension tells."""
    return "GZIP" if path.endswith(".gz") else ""


def _files_of(split: str | None, pattern: str) -> list[str]:
    key = "data.source.path" if split is None else f"data.source.path.{split}"
    if tf.io.gfile.isdir(pattern):
        what = f"{key}: this is a folder; name the files in it, such as {pattern}/*.tfrecord"
        raise DataError(explain(what, pattern))
    files = sorted(path for path in tf.io.gfile.glob(pattern) if not tf.io.gfile.isdir(path))
    if not files:
        raise DataError(explain(f"{key}: there is no such file.", pattern, _beside(pattern)))
    for path in files:
        _check_readable(path)
    return files


def _beside(pattern: str) -> list[str]:
    folder = os.path.dirname(pattern)
    return sorted(tf.io.gfile.listdir(folder))[:20] if tf.io.gfile.isdir(folder) else []


def _check_readable(path: str) -> None:
    with tf.io.gfile.GFile(path, "rb") as file:
        start = file.read(8)
    if start.startswith(_GZIP) and not compression(path):
        what = f"{path}: the file is compressed with gzip, so its name must end in .gz."
        raise DataError(explain(what, os.path.basename(path)))
    try:
        for _ in tf.data.TFRecordDataset(path, compression(path)).take(1):
            pass
    except tf.errors.OpError as error:
        what = f"{path}: this is no TFRecord file, or its first record is damaged."
        raise DataError(explain(what, start)) from error
    if not compression(path) and "://" not in path:
        _check_whole(path)


def _check_whole(path: str) -> None:
    """Follows the records' lengths; each record has 16 bytes around it."""
    size = os.path.getsize(path)
    position = number = 0
    with open(path, "rb", buffering=0) as file:
        while position < size:
            file.seek(position)
            position += int.from_bytes(file.read(8), "little") + 16
            number += 1
    if position > size:
        what = f"{path}: the file is cut short or damaged at record {number}; write it again."
        raise DataError(explain(what, f"{size} bytes"))
