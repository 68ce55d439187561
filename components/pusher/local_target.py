"""A folder of this machine, or one that is mounted, that a server watches.

A server lists its sub-folders and loads those whose name is a number. So a
version is put together in a hidden folder on the same disk, and gets its number
by one rename when every byte is there. Beside the versions stand, all hidden:

    .push.lock     held (flock) for the moments in which names change; holds the
                   highest number ever given, so that none comes twice
    .staging-*     a push in progress, which holds `owner` in it; a killed one
                   holds nothing any more, and the next push removes it
    .deleted-*     a version on its way out
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from absl import logging

from components.pusher.files import sync_folder, sync_folders, write_durably
from components.pusher.manifest import MANIFEST, Manifest

STAGING_PREFIX = ".staging-"
DELETED_PREFIX = ".deleted-"
LOCK = ".push.lock"
# Names change in milliseconds; only a stopped process holds the lock for longer.
LOCK_SECONDS = 60.0
# A server reads versions as signed 64-bit numbers and overlooks larger ones.
LARGEST = 2**63 - 1

_Done = TypeVar("_Done")


def list_versions(path: Path) -> list[int]:
    """Lists the versions that a server would load, oldest first.

    A folder that is a number and holds no model is somebody's own: it is no
    version, and is never removed.

    Args:
        path: Folder that the server watches; may not exist yet.
    """
    return [one for one in _list_numbers(path) if (path / str(one) / "saved_model.pb").is_file()]


def _list_numbers(path: Path) -> list[int]:
    if not path.is_dir():
        return []
    names = [name for name in os.listdir(path) if name.isascii() and name.isdecimal()]
    return sorted(number for number in map(int, names) if number <= LARGEST)


class LocalTarget:
    """The versions in one folder, and how another is added."""

    def __init__(self, path: Path) -> None:
        """Makes the folder where it is not there.

        Args:
            path: Folder that the server watches.
        """
        self._path = path

    def versions(self) -> list[int]:
        """Lists the versions, oldest first."""
        return list_versions(self._path)

    def address(self, version: int) -> str:
        """Says where a version is."""
        return str(self._path / str(version))

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """Gives a folder, not there yet, on the same disk that no server looks at."""
        self._path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._remove_leftovers()
            place = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=self._path))
            owner = _try_lock(place / "owner")
        try:
            yield place / "version"
        finally:
            shutil.rmtree(place, ignore_errors=True)
            if owner is not None:
                os.close(owner)

    def deliver(
        self, staged: Path, describe: Callable[[int], Manifest], done: Callable[[], _Done | None]
    ) -> int | _Done:
        """Gives a staged version its number.

        Args:
            staged: What `staging` gave, filled.
            describe: From the number to its manifest.
            done: Asked when nobody else can push: what it answers, if it
                answers anything, makes the version needless.

        Returns:
            The number, or that answer.
        """
        with self._locked() as lock:
            if (answer := done()) is not None:
                return answer
            highest = max([_read_highest(lock), *_list_numbers(self._path)[-1:]])
            version = max(int(time.time()), highest + 1)
            write_durably(describe(version).text(), staged / MANIFEST)
            sync_folders(staged)
            # First of all, so that not even a version that is lost comes twice.
            os.pwrite(lock, f"{version:020d}\n".encode(), 0)
            os.fsync(lock)
            os.rename(staged, self._path / str(version))
            sync_folder(self._path)
        return version

    def prune(self, keep: int) -> None:
        """Removes the oldest versions beyond `keep`, each from sight in one step.

        A version that cannot be removed stays for the next push.
        """
        try:
            with self._locked():
                for old in self.versions()[:-keep]:
                    gone = f"{DELETED_PREFIX}{old}-{uuid.uuid4().hex[:8]}"
                    os.rename(self._path / str(old), self._path / gone)
                    sync_folder(self._path)
                self._remove_leftovers()
        except OSError as error:
            logging.warning("Old versions in %s stay: %s", self._path, error)

    def _remove_leftovers(self) -> None:
        """Removes what killed pushes left; only under the lock, see `staging`."""
        for name in os.listdir(self._path):
            place = self._path / name
            if name.startswith(DELETED_PREFIX):
                shutil.rmtree(place, ignore_errors=True)
            elif name.startswith(STAGING_PREFIX):
                # A push that has just ended may be removing it itself.
                with contextlib.suppress(FileNotFoundError):
                    owner = _try_lock(place / "owner")
                    if owner is not None:
                        shutil.rmtree(place, ignore_errors=True)
                        os.close(owner)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """Holds the lock; the kernel lets go of it when a process dies."""
        end = time.monotonic() + LOCK_SECONDS
        while (lock := _try_lock(self._path / LOCK)) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"Another push has held {LOCK} for {LOCK_SECONDS:.0f} s")
            time.sleep(0.02)
        try:
            yield lock
        finally:
            os.close(lock)


def _try_lock(path: Path) -> int | None:
    """Opens and locks a file, which is made; None when another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _read_highest(lock: int) -> int:
    """Reads the highest number ever given; 0 where there is none to be read."""
    text = os.pread(lock, 32, 0).strip()
    return int(text) if text.isdigit() and int(text) < LARGEST else 0
