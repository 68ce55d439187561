"""Brings what a hub: handle names onto this machine: a path, an archive, a URL, a bucket."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from preprocessing.errors import BackboneError, explain
from trainer.backbones.archive import ARCHIVE_SUFFIXES, extract
from trainer.backbones.download import download, unreachable
from trainer.backbones.handles import Handle


def find_local(handle: Handle, base: Path) -> Path:
    """Finds a local path.

    Args:
        handle: The handle.
        base: Folder that relative paths start from.

    Returns:
        A folder or an archive.

    Raises:
        BackboneError: If there is neither.
    """
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


def fetch(handle: Handle, base: Path, scratch: Path) -> Path:
    """Brings the content into reach.

    Args:
        handle: The handle.
        base: Folder that relative paths start from.
        scratch: An empty folder for what is downloaded and unpacked.

    Returns:
        The folder of the content, not yet looked into.

    Raises:
        BackboneError: If it cannot be had.
    """
    unpacked = scratch / "unpacked"
    unpacked.mkdir()
    if handle.form == "url":
        archive = scratch / "download"
        download(handle.target, archive)
        extract(archive, unpacked, handle.target)
    elif handle.form == "gcs":
        _copy_remote(_resolve(handle.target, scratch), unpacked, handle.target)
    else:
        path = find_local(handle, base)
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
