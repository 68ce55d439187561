"""Which versions of the model are loaded, and which one answers.

The newest that can be loaded answers. A new one is loaded and warmed up beside
the old one before it takes over; requests that began with the old one end with
it, and then it is let go. One that cannot be loaded is reported and left alone
until its files change. Where the folder is empty or cannot be read, what is
loaded stays.
"""

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from absl import logging

from components.pusher.local_target import list_versions
from serving.server.refusal import Code, Refusal

# Versions that ended and are told of when another one comes.
_REMEMBERED = 20

M = TypeVar("M")


@dataclasses.dataclass
class Version(Generic[M]):
    """One version and what became of it; the names of states are TF Serving's.

    Attributes:
        number: Name of its folder.
        model: What was loaded; None before and after.
        state: LOADING, AVAILABLE, UNLOADING or END.
        error: Why it could not be loaded, or nothing.
        mark: Tells whether its files were changed since.
        running: Requests that it is answering.
    """

    number: int
    mark: object
    model: M | None = None
    state: str = "LOADING"
    error: str = ""
    running: int = 0


class Versions(Generic[M]):
    """Watches a folder of versions.

    Args:
        path: The folder.
        load: Loads one and warms it up.
        tell: Told in a sentence of each change.
    """

    def __init__(self, path: Path, load: Callable[[Path], M], tell: Callable[[str], None]) -> None:
        self._path = path
        self._load = load
        self._tell = tell
        self._lock = threading.Lock()
        self._known: dict[int, Version[M]] = {}
        self._current: Version[M] | None = None
        self._stop = threading.Event()

    def watch(self, seconds: float) -> threading.Thread:
        """Looks again every so often, in a thread, until `stop`."""

        def look() -> None:
            while not self._stop.wait(seconds):
                try:
                    self.refresh()
                except Exception:
                    logging.exception("The versions in %s could not be looked at", self._path)

        thread = threading.Thread(target=look, name="versions", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ends watching."""
        self._stop.set()

    def refresh(self) -> None:
        """Brings the loaded versions in line with the folder, once."""
        for number in reversed(list_versions(self._path)):
            if self._current and number == self._current.number:
                return
            if self._bring_up(number):
                return

    def _bring_up(self, number: int) -> bool:
        """Loads a version and lets it answer, unless it is known to be broken."""
        folder = self._path / str(number)
        try:
            mark = _mark(folder)
        except OSError:
            return False  # Removed since it was listed.
        known = self._known.get(number)
        if known and known.error and known.mark == mark:
            return False
        version = Version[M](number, mark)
        self._remember(version)
        try:
            version.model = self._load(folder)
        except Exception as error:
            version.state, version.error = "END", f"{type(error).__name__}: {error}"
            serving = f"version {self._current.number} keeps serving" if self._current else ""
            self._tell(f"version {number} cannot be loaded; {serving or 'trying an older one'}")
            self._tell(f"  {version.error.splitlines()[0]}")
            return False
        self._switch_to(version)
        return True

    def _switch_to(self, version: Version[M]) -> None:
        with self._lock:
            old, self._current = self._current, version
            version.state = "AVAILABLE"
            if old:
                old.state = "UNLOADING"
                self._let_go_if_idle(old)
        self._tell(
            f"version {version.number} serves" + (f" instead of {old.number}" if old else "")
        )

    def _remember(self, version: Version[M]) -> None:
        with self._lock:
            self._known[version.number] = version
            ended = [one for one in self._known.values() if one.state == "END"]
            for one in ended[:-_REMEMBERED]:
                del self._known[one.number]

    @contextlib.contextmanager
    def lease(self, name: str, number: int | None = None) -> Iterator[tuple[int, M]]:
        """Gives the model that answers a request, which stays until it is done.

        Args:
            name: The model's name, for the message.
            number: The version that is asked for; None takes the current one.

        Raises:
            Refusal: NOT_FOUND if that version is not loaded.
        """
        with self._lock:
            version = self._current if number is None else self._known.get(number)
            if version is None or version.model is None or version.state != "AVAILABLE":
                asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
                raise Refusal(Code.NOT_FOUND, f"Servable not found for request: {asked}")
            version.running += 1
            model = version.model
        try:
            yield version.number, model
        finally:
            with self._lock:
                version.running -= 1
                self._let_go_if_idle(version)

    def _let_go_if_idle(self, version: Version[M]) -> None:
        if version.state == "UNLOADING" and not version.running:
            version.state, version.model = "END", None

    def states(self) -> list[Version[M]]:
        """Lists the versions that are known, newest first."""
        with self._lock:
            return [dataclasses.replace(self._known[one]) for one in sorted(self._known)[::-1]]


def _mark(folder: Path) -> object:
    """All files: one that is copied in place may get its saved_model.pb first."""
    (folder / "saved_model.pb").stat()
    found = [(str(file), file.stat()) for file in sorted(folder.rglob("*"))]
    return tuple((name, one.st_ino, one.st_size, one.st_mtime_ns) for name, one in found)
