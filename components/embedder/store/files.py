"""The few things that the store does with files: on this machine, or at an address.

Everything raises OSError, FileNotFoundError where a file is gone. Another kind
of storage is another class with these methods.
"""

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, Protocol

UNFINISHED = ".unfinished"


class Found(NamedTuple):
    """One file of a folder.

    Attributes:
        path: Where it is.
        name: Its name alone.
        size: Bytes.
        used: When it was last used, in seconds since 1970.
    """

    path: str
    name: str
    size: int
    used: float


class Files(Protocol):
    """What both kinds of storage offer."""

    def folders(self, root: str) -> list[str]:
        """Lists the folders in a folder, sorted; none where it does not exist."""

    def listing(self, folder: str) -> list[Found]:
        """Lists the files of a folder, sorted; none where it does not exist."""

    def read(self, path: str, start: int, size: int) -> bytes:
        """Reads a part, shorter where the file ends."""

    def write(self, path: str, content: bytes) -> None:
        """Writes a file so that it appears whole or not at all."""

    def touch(self, path: str) -> None:
        """Notes that a file is being used; does nothing where that cannot be noted."""

    def remove(self, path: str) -> None:
        """Deletes a file."""

    def remove_folder(self, path: str) -> None:
        """Deletes a folder that is empty; leaves any other."""


def files_at(root: str) -> Files:
    """Chooses what reads and writes at a path.

    Args:
        root: A folder, or an address such as gs://bucket/features.
    """
    return AddressFiles() if "://" in root else LocalFiles()


class LocalFiles:
    """Files of this machine."""

    def folders(self, root: str) -> list[str]:
        """See Files."""
        with contextlib.suppress(FileNotFoundError), os.scandir(root) as entries:
            return sorted(one.path for one in entries if one.is_dir())
        return []

    def listing(self, folder: str) -> list[Found]:
        """See Files."""
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for one in entries:
                # Another process may delete any of them meanwhile.
                with contextlib.suppress(FileNotFoundError):
                    if one.is_file():
                        at = one.stat()
                        found.append(Found(one.path, one.name, at.st_size, at.st_mtime))
        return sorted(found)

    def read(self, path: str, start: int, size: int) -> bytes:
        """See Files."""
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(size)

    def write(self, path: str, content: bytes) -> None:
        """See Files."""
        staged = _beside(path)
        try:
            with _open_new(staged) as file:
                file.write(content)
            os.replace(staged, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.remove(staged)
            raise

    def touch(self, path: str) -> None:
        """See Files."""
        # In a store of somebody else's that may only be read.
        with contextlib.suppress(PermissionError):
            os.utime(path)

    def remove(self, path: str) -> None:
        """See Files."""
        os.remove(path)

    def remove_folder(self, path: str) -> None:
        """See Files."""
        with contextlib.suppress(OSError):
            os.rmdir(path)


def _open_new(path: str) -> IO[bytes]:
    """Makes a file with its folder; once more where another process removes that, being empty."""
    folder = os.path.dirname(path)
    with contextlib.suppress(FileNotFoundError, FileExistsError):
        os.makedirs(folder, exist_ok=True)
        return open(path, "xb")
    os.makedirs(folder, exist_ok=True)
    return open(path, "xb")


class AddressFiles:
    """Files that TensorFlow reaches; when one was last used is when it was written."""

    def folders(self, root: str) -> list[str]:
        """See Files."""
        return [path for path in self._paths(root) if self._gfile.isdir(path)]

    def listing(self, folder: str) -> list[Found]:
        """See Files."""
        found = []
        for path in self._paths(folder):
            with contextlib.suppress(FileNotFoundError), _as_os_errors():
                at = self._gfile.stat(path)
                if not at.is_directory:
                    name = path.rpartition("/")[2]
                    found.append(Found(path, name, at.length, at.mtime_nsec / 1e9))
        return found

    def read(self, path: str, start: int, size: int) -> bytes:
        """See Files."""
        with _as_os_errors(), self._gfile.GFile(path, "rb") as file:
            file.seek(start)
            return file.read(size)

    def write(self, path: str, content: bytes) -> None:
        """See Files."""
        staged = _beside(path)
        with _as_os_errors():
            self._gfile.makedirs(path.rpartition("/")[0])
            with self._gfile.GFile(staged, "wb") as file:
                file.write(content)
            self._gfile.rename(staged, path, overwrite=True)

    def touch(self, path: str) -> None:
        """See Files."""

    def remove(self, path: str) -> None:
        """See Files."""
        with _as_os_errors():
            self._gfile.remove(path)

    def remove_folder(self, path: str) -> None:
        """Does nothing: at an address, an empty folder is none."""

    def _paths(self, folder: str) -> list[str]:
        with contextlib.suppress(FileNotFoundError), _as_os_errors():
            names = self._gfile.listdir(folder)
            return [f"{folder.rstrip('/')}/{name.rstrip('/')}" for name in sorted(names)]
        return []

    @property
    def _gfile(self) -> Any:
        import tensorflow as tf

        return tf.io.gfile


def _beside(path: str) -> str:
    return f"{path}.{uuid.uuid4().hex}{UNFINISHED}"


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
    import tensorflow as tf

    try:
        yield
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(error.message) from error
    except tf.errors.OpError as error:
        raise OSError(error.message) from error


def ignore_gone(action: Callable[[], object]) -> bool:
    """Does something with a file that another process may have deleted.

    Returns:
        Whether it was still there.
    """
    try:
        action()
    except FileNotFoundError:
        return False
    return True
