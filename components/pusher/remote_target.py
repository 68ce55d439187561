"""An address such as gs://bucket/name that a server watches, through TensorFlow's file system.

There is no rename in one step and no lock there. So a version's folder is seen
while it grows; a server cannot load it before `saved_model.pb` is there, which
is written last, and takes it away first. Numbers are claimed by files of their
own, `.claims/<number>-<who>`: who finds another's claim for the same number
after writing its own gives the number up, so that no two pushes have the same.
The last claim also remembers the highest number ever given. Files of other
names there are somebody else's, and stay.

A push that is overtaken while it uploads would be an old version the moment it
is whole. So it looks again before its `saved_model.pb`, and begins anew.
"""

import contextlib
import posixpath
import random
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import tensorflow as tf
from absl import logging

from components.pusher.files import hash_file, list_files, python_errors, read_chunks
from components.pusher.local_target import LARGEST
from components.pusher.manifest import MANIFEST, Manifest

MODEL = "saved_model.pb"
CLAIMS = ".claims"
# No push takes so long, so an older claim without a model is that of a killed one.
STALE_SECONDS = 24 * 3600
_CLAIM = re.compile(r"([0-9]+)-\w+")
_TRIES = 50

_Done = TypeVar("_Done")


class RemoteTarget:
    """The versions at one address; see LocalTarget."""

    def __init__(self, path: str) -> None:
        """Takes the address that a server watches."""
        self._path = path.rstrip("/")

    def versions(self) -> list[int]:
        """Lists the versions, oldest first."""
        with python_errors(self._path):
            return [
                number
                for number in self._numbers()
                if tf.io.gfile.exists(posixpath.join(self.address(number), MODEL))
            ]

    def address(self, version: int) -> str:
        """Says where a version is."""
        return posixpath.join(self._path, str(version))

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """Gives a folder of this machine, not there yet."""
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "version"

    def deliver(
        self, staged: Path, describe: Callable[[int], Manifest], done: Callable[[], _Done | None]
    ) -> int | _Done:
        """Uploads a staged version under a number of its own; see LocalTarget.

        A file is read back and compared before the next one is written.
        """
        with python_errors(self._path):
            for _ in range(_TRIES):
                before = self.versions()
                if (answer := done()) is not None:
                    return answer
                version = self._claim()
                (staged / MANIFEST).write_text(describe(version).text(), encoding="utf-8")
                try:
                    self._upload_all_but_model(staged, version)
                    if self.versions() == before:
                        self._upload(staged / MODEL, posixpath.join(self.address(version), MODEL))
                        return version
                except BaseException:
                    with contextlib.suppress(tf.errors.OpError):
                        self._remove(version)
                    raise
                self._remove(version)
        raise OSError(
            f"Other pushes overtook this one each time that it was tried, {_TRIES} in all"
        )

    def prune(self, keep: int) -> None:
        """Removes the oldest versions beyond `keep`, and what killed pushes left."""
        try:
            with python_errors(self._path):
                for old in self.versions()[:-keep]:
                    self._remove(old)
                self._remove_leftovers()
        except OSError as error:
            logging.warning("Old versions at %s stay: %s", self._path, error)

    def _numbers(self) -> list[int]:
        if not tf.io.gfile.isdir(self._path):
            return []
        names = [name.rstrip("/") for name in tf.io.gfile.listdir(self._path)]
        numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
        return sorted(number for number in numbers if number <= LARGEST)

    def _claims(self) -> list[tuple[int, str]]:
        """Numbers and the files that claim them, the highest last."""
        folder = posixpath.join(self._path, CLAIMS)
        names = tf.io.gfile.listdir(folder) if tf.io.gfile.isdir(folder) else []
        matches = [(_CLAIM.fullmatch(name), name) for name in names]
        return sorted(
            (int(match[1]), posixpath.join(folder, name)) for match, name in matches if match
        )

    def _claim(self) -> int:
        """Finds a number that nobody else has, above all that there ever were."""
        who = uuid.uuid4().hex
        tf.io.gfile.makedirs(posixpath.join(self._path, CLAIMS))
        for _ in range(_TRIES):
            taken = [number for number, _ in self._claims()]
            highest = max([0, *taken, *self._numbers()])
            version = max(int(time.time()), highest + 1)
            mine = posixpath.join(self._path, CLAIMS, f"{version}-{who}")
            with tf.io.gfile.GFile(mine, "w") as file:
                file.write(str(time.time()))
            if [path for number, path in self._claims() if number == version] == [mine]:
                return version
            time.sleep(random.uniform(0, 1))
        raise OSError(f"Other pushes took every number that was tried, {_TRIES} in all")

    def _upload_all_but_model(self, staged: Path, version: int) -> None:
        names = set(list_files(str(staged))) - {MANIFEST, MODEL}
        for name in (*sorted(names), MANIFEST):
            self._upload(staged / name, posixpath.join(self.address(version), name))

    def _upload(self, source: Path, target: str) -> None:
        tf.io.gfile.makedirs(posixpath.dirname(target))
        with tf.io.gfile.GFile(target, "wb") as file:
            for chunk in read_chunks(str(source)):
                file.write(chunk)
        if hash_file(target) != hash_file(str(source)):
            raise OSError(f"{target} is not what was written")

    def _remove(self, version: int) -> None:
        """Removes a version, so that it cannot be loaded from the first moment on."""
        model = posixpath.join(self.address(version), MODEL)
        if tf.io.gfile.exists(model):
            tf.io.gfile.remove(model)
        if tf.io.gfile.isdir(self.address(version)):
            tf.io.gfile.rmtree(self.address(version))

    def _remove_leftovers(self) -> None:
        """Removes old claims but the highest, with what is left of their versions."""
        whole = self.versions()
        for number, claim in self._claims()[:-1]:
            if _age(claim) > STALE_SECONDS:
                if number not in whole:
                    self._remove(number)
                tf.io.gfile.remove(claim)


def _age(claim: str) -> float:
    """Seconds since a number was claimed; 0 where the file does not say."""
    with tf.io.gfile.GFile(claim) as file:
        text = file.read()
    try:
        return time.time() - float(text)
    except ValueError:
        return 0.0
