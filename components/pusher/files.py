"""Files by content, wherever they lie: listed, read, digested, copied for good.

Folders of this machine need no TensorFlow; an address such as gs://bucket is
read through TensorFlow's file system, whose errors become those of Python.
"""

import contextlib
import hashlib
import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path

from preprocessing.config import Record

_CHUNK = 1 << 20


class PushedFile(Record):
    """One file of a version, as it was when it was pushed."""

    sha256: str
    bytes: int


def is_address(path: str) -> bool:
    """Whether a path names another file system than this machine's."""
    return "://" in path


@contextlib.contextmanager
def python_errors(path: str) -> Iterator[None]:
    """Turns what TensorFlow raises about an address into an OSError."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(f"{path}: {error.message}") from error
    except tf.errors.OpError as error:
        raise OSError(f"{path}: {error.message}") from error


def list_files(folder: str) -> list[str]:
    """Lists all files below a folder, as sorted paths relative to it."""
    if is_address(folder):
        import tensorflow as tf

        with python_errors(folder):
            found = [
                posixpath.join(place, name)
                for place, _, names in tf.io.gfile.walk(folder)
                for name in names
            ]
    else:
        found = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
    return sorted(os.path.relpath(path, folder) for path in found)


def read_chunks(path: str) -> Iterator[bytes]:
    """Reads a file piece by piece.

    Raises:
        FileNotFoundError: If there is none.
        OSError: If it cannot be read.
    """
    if is_address(path):
        import tensorflow as tf

        with python_errors(path), tf.io.gfile.GFile(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    else:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def hash_file(path: str) -> PushedFile:
    """Reads a file and says what is in it."""
    digest, size = hashlib.sha256(), 0
    for chunk in read_chunks(path):
        digest.update(chunk)
        size += len(chunk)
    return PushedFile(sha256=digest.hexdigest(), bytes=size)


def digest_files(files: Mapping[str, PushedFile]) -> str:
    """Digests files by their names and contents.

    Returns:
        `sha256:` and the hex digest; the same for equal copies.
    """
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + bytes.fromhex(files[name].sha256))
    return f"sha256:{digest.hexdigest()}"


def digest_model(folder: str | Path) -> str:
    """Digests a model by the names and contents of its files; see `digest_files`."""
    folder = str(folder)
    return digest_files({name: hash_file(f"{folder}/{name}") for name in list_files(folder)})


def copy_durably(source: str, target: Path) -> PushedFile:
    """Copies a file onto this machine's disk, and reads the copy again.

    Args:
        source: Where it is.
        target: Where it shall be; folders are made.

    Returns:
        What both hold.

    Raises:
        OSError: If it cannot be copied, or the copy differs.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with open(target, "wb") as file:
        for chunk in read_chunks(source):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    read = PushedFile(sha256=digest.hexdigest(), bytes=size)
    if hash_file(str(target)) != read:
        raise OSError(f"The copy of {source} is not what was read")
    return read


def write_durably(text: str, target: Path) -> None:
    """Writes a small file onto this machine's disk."""
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folders(folder: Path) -> None:
    """Makes the names in a folder and below it durable, the innermost first."""
    for place, _, _ in os.walk(folder, topdown=False):
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Makes the names in one folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
