"""Pictures in class folders: the first folder level is the class.

`flowers/roses/red/1.jpg` is a rose called `roses/red/1.jpg`. A top level of
nothing but train/, val/ (or a synonym) and test/ folders brings its own splits.
Paths are read through tf.io.gfile, so that a bucket works like a disk.
"""

import os
from collections.abc import Iterator

import tensorflow as tf

from components.example_gen.config import ImageFolderSource
from components.example_gen.rows import Quarantined, Row, Table
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.split_names import paths_of, split_of
from components.example_gen.values import checked
from preprocessing.errors import ConfigError, DataError, explain
from preprocessing.formats import EXTENSIONS

_NAMED_FILES = 3


def read(source: ImageFolderSource, columns: Columns) -> Table:
    """Lists the pictures below the source's folder or folders.

    Hidden files and folders are passed over. Files whose extension is no
    picture's are named in a note. A picture that lies in no class folder is
    quarantined. Links are followed, except those that lead back to a folder
    above them.

    Args:
        source: One folder, or one for each split.
        columns: Must have exactly one image feature, no other and carry nothing.

    Returns:
        The table; rows are sorted by path.

    Raises:
        ConfigError: If the columns ask for what a folder cannot have.
        DataError: If a folder is absent or empty, or a class has no picture.
    """
    _check_only_an_image(columns)
    walk = _Walk(columns)
    for split, path in paths_of(source.path).items():
        _check_is_folder(path)
        if split is not None:
            walk.add(path, split, f"{split}/")
            continue
        parts = _split_folders(path)
        for part, name in parts.items():
            walk.add(os.path.join(path, name), part, f"{name}/")
        if parts:
            walk.add_loose(path)
        else:
            walk.add(path, None, "")
    _check_classes(walk, source)
    walk.table.notes.extend(walk.notes())
    return walk.table


class _Walk:
    """Collects what is found; one walk may cover several split folders."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        (self._feature,) = columns.features
        self._others: list[str] = []
        self._loops: list[str] = []
        self.table = Table([], [], [])
        self.classes: set[str] = set()
        self.classes_with_pictures: set[str] = set()

    def add(self, root: str, split: str | None, prefix: str) -> None:
        """Adds the class folders of one root; `prefix` goes before its paths."""
        for name in _listed(root):
            path = os.path.join(root, name)
            if _is_folder(path):
                self.classes.add(name)
                for relative in _files(path, f"{name}/", (_identity(root),), self._loops):
                    self._add_file(root, relative, name, split, prefix)
            else:
                self._add_file(root, name, None, split, prefix)

    def add_loose(self, root: str) -> None:
        """Adds the files that lie beside split folders."""
        for name in _listed(root):
            if not _is_folder(os.path.join(root, name)):
                self._add_file(root, name, None, None, "")

    def notes(self) -> list[str]:
        """Returns sentences about what was passed over."""
        notes = []
        if self._others:
            named = ", ".join(self._others[:_NAMED_FILES])
            more = ", …" if len(self._others) > _NAMED_FILES else ""
            count = len(self._others)
            files = "file is" if count == 1 else "files are"
            notes.append(f"{count} other {files} no picture by extension: {named}{more}")
        if self._loops:
            notes.append(f"links that lead back above themselves: {', '.join(self._loops)}")
        return notes

    def others_of(self, label: str) -> list[str]:
        """Returns the files below a class that are no pictures by extension."""
        return [path for path in self._others if f"/{label}/" in f"/{path}"]

    def _add_file(
        self, root: str, relative: str, label: str | None, split: str | None, prefix: str
    ) -> None:
        if not _looks_like_picture(relative):
            self._others.append(prefix + relative)
        elif label is None:
            reason = "it lies in no class folder, so it has no label"
            self.table.quarantined.append(Quarantined(prefix + relative, reason, split))
        else:
            self.classes_with_pictures.add(label)
            values = {self._feature: os.path.join(root, relative)}
            row = Row(prefix + relative, values, label, split)
            self.table.add(checked(row, self._columns))


def find_pictures(root: str) -> Iterator[str]:
    """Lists the pictures below a folder, at any depth, whatever the folders are called.

    Args:
        root: The folder. What is passed over is said in `read`.

    Yields:
        Paths relative to it; those of one folder are sorted.
    """
    return filter(_looks_like_picture, _files(root, "", (), []))


def _files(folder: str, prefix: str, above: tuple[str, ...], loops: list[str]) -> Iterator[str]:
    """Lists files by the path below `prefix`; adds to `loops` the links that lead back."""
    identity = _identity(folder)
    if identity in above:
        loops.append(prefix.rstrip("/"))
        return
    for name in _listed(folder):
        path = os.path.join(folder, name)
        if _is_folder(path):
            yield from _files(path, f"{prefix}{name}/", (*above, identity), loops)
        else:
            yield prefix + name


def _check_only_an_image(columns: Columns) -> None:
    kinds = {name: feature.kind for name, feature in columns.features.items()}
    if list(kinds.values()) != ["image"]:
        raise ConfigError(
            explain(
                "data.source: kind image_folder has exactly one image feature and nothing else; "
                "for texts, numbers, categories or more pictures write kind: csv or "
                "kind: tfrecord.",
                kinds,
            )
        )
    unknown = [name for name in columns.carry if name != "source"]
    if unknown:
        raise ConfigError(
            explain("A folder of pictures has no such column to slice by.", unknown[0], ["source"])
        )


def _check_is_folder(path: str) -> None:
    what = None
    if not tf.io.gfile.exists(path):
        what = "data.source.path: the folder does not exist."
    elif not tf.io.gfile.isdir(path):
        what = "data.source.path: this is a file; kind image_folder needs a folder."
        if path.lower().endswith((".csv", ".tsv")):
            what += " For a table write kind: csv."
    if what:
        raise DataError(explain(what, path))


def _split_folders(root: str) -> dict[str, str]:
    """Returns the folder's name of each split; empty where folders are classes."""
    by_split: dict[str, str] = {}
    for name in _listed(root):
        if not _is_folder(os.path.join(root, name)):
            continue
        split = split_of(name)
        if split is None:
            return {}
        if split in by_split:
            raise DataError(
                explain(
                    f"data.source.path: two folders both mean the {split} split.",
                    [by_split[split], name],
                    see=root,
                )
            )
        by_split[split] = name
    # Without train/, they are classes that happen to be called so.
    return by_split if "train" in by_split else {}


def _check_classes(walk: _Walk, source: ImageFolderSource) -> None:
    """Refuses sources without classes and classes without pictures."""
    where = source.path if isinstance(source.path, str) else ", ".join(source.path.values())
    if not walk.classes:
        found = f"{len(walk.table.quarantined)} pictures and no folder"
        raise DataError(
            explain(
                "data.source.path: no class folders; put each class's pictures into a folder "
                "named after the class.",
                found,
                see=where,
            )
        )
    empty = sorted(walk.classes - walk.classes_with_pictures)
    if empty:
        others = walk.others_of(empty[0])
        found = f"no picture, {len(others)} other files" + (f": {others[0]}" if others else "")
        raise DataError(
            explain(
                f"data.source.path: no picture in the class folder {empty[0]!r}"
                + (f" and in {len(empty) - 1} more: {', '.join(empty[1:6])}" if empty[1:] else "")
                + ". Remove the folder, or put pictures into it.",
                found,
                see=where,
            )
        )


def _looks_like_picture(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in EXTENSIONS


def _is_folder(path: str) -> bool:
    # A bucket charges and waits for each question; a picture's name answers it.
    return not _looks_like_picture(path) and tf.io.gfile.isdir(path)


def _listed(folder: str) -> list[str]:
    # Buckets end folders with a slash.
    names = (name.rstrip("/") for name in tf.io.gfile.listdir(folder))
    return sorted(name for name in names if name and not name.startswith((".", "__MACOSX")))


def _identity(folder: str) -> str:
    return folder if "://" in folder else os.path.realpath(folder)
