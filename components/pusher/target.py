"""Where versions lie, seen from what publishes them and rolls them back."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from components.pusher.errors import PushError
from components.pusher.files import is_address
from components.pusher.local_target import LocalTarget
from components.pusher.manifest import Manifest
from preprocessing.errors import ConfigError, explain

Done = TypeVar("Done")


class Target(Protocol):
    """The versions in one place; LocalTarget says what each method promises."""

    def versions(self) -> list[int]: ...  # noqa: D102

    def address(self, version: int) -> str: ...  # noqa: D102

    def staging(self) -> contextlib.AbstractContextManager[Path]: ...  # noqa: D102

    def deliver(  # noqa: D102
        self, staged: Path, describe: Callable[[int], Manifest], done: Callable[[], Done | None]
    ) -> int | Done: ...

    def prune(self, keep: int) -> None: ...  # noqa: D102


def open_target(path: str) -> Target:
    """Finds out what kind of place a path is.

    Args:
        path: A folder, or an address such as gs://bucket/name.
    """
    if not is_address(path):
        return LocalTarget(Path(path))
    from components.pusher.remote_target import RemoteTarget

    return RemoteTarget(path)


def check_address(path: str, key: str = "push.path") -> None:
    """Raises ConfigError where TensorFlow has no file system for an address.

    Args:
        path: A folder, or an address.
        key: What the user calls it.
    """
    if not is_address(path):
        return
    import tensorflow as tf

    known = sorted(one for one in tf.io.gfile.get_registered_schemes() if one)
    if path.split("://")[0] not in known:
        what = f"{key}: TensorFlow has no file system for this address"
        raise ConfigError(explain(what, path, [f"{one}://" for one in known]))


@contextlib.contextmanager
def explained(path: str, what: str) -> Iterator[None]:
    """Turns what the file system raises into a PushError.

    Args:
        path: Where it happened.
        what: What could not be done, such as `The model could not be pushed`.
    """
    try:
        yield
    except OSError as error:
        raise PushError(
            f"{what}: {error}\n"
            f"  Where: {path}\n"
            "  What was serving before still is; mend the folder and run again."
        ) from error
