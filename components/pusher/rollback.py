"""Goes back to the model of an older version, which becomes the newest version once more.

A server serves the highest number that it finds. So what is rolled back to is
pushed again, under a number of its own, and nothing is taken away: the version
that was rolled back from stays, and can be rolled forward to.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.pusher.errors import PushError
from components.pusher.files import (
    PushedFile,
    copy_durably,
    digest_files,
    hash_file,
    is_address,
    list_files,
)
from components.pusher.load_check import Loaded, check_loads
from components.pusher.manifest import MANIFEST, Manifest, RolledBack, read_manifest
from components.pusher.publish import Check, now
from components.pusher.target import Target, check_address, explained, open_target
from preprocessing.errors import DataError, UsageError, explain


class Unreadable(NamedTuple):
    """A version that does not say what it is.

    Attributes:
        version: Its number.
        why: What is wrong with its manifest, in one line.
    """

    version: int
    why: str


History = Sequence[Manifest | Unreadable]


def read_history(path: str) -> History:
    """Reads what is known of each version, the oldest first.

    A version without a manifest, from another pusher, is described by its
    files. One that cannot be read hides no other.

    Args:
        path: Folder or address that a server watches.

    Raises:
        UsageError: If there is no version.
        PushError: If the folder cannot be read.
    """
    check_address(path, "PATH")
    with explained(path, "The versions cannot be read"):
        target = open_target(path)
        numbers = target.versions()
        if not numbers and not is_address(path) and (Path(path) / "saved_model.pb").is_file():
            what = "This is one version; name the folder that holds it"
            raise UsageError(explain(what, path, see=str(Path(path).resolve().parent)))
        if not numbers:
            raise UsageError(explain("There is no version of a model here", path))
        return [_read(target, number) for number in numbers]


def find_current(history: History) -> Manifest:
    """Says what serves, and with it what was rolled back from.

    A version that does not say so itself, such as one that cannot be read or
    another pusher's, takes over what the one before it knew was rolled back from.
    """
    newest = history[-1]
    current = _unknown(newest.version) if isinstance(newest, Unreadable) else newest
    # Only what a manifest says has a time.
    told = (one for one in reversed(history) if isinstance(one, Manifest) and one.pushed_at)
    return current.model_copy(update={"withdrawn": next(told, current).withdrawn})


def rollback(path: str, to: int | None = None, check: Check = check_loads) -> Manifest:
    """Makes the model of an older version the newest.

    Args:
        path: Folder or address that a server watches.
        to: The version; None means the newest model before the one that serves
            which was not rolled back from itself.
        check: Loads the staged version.

    Returns:
        The manifest of the version that serves now.

    Raises:
        UsageError: If there is no such version, or it serves already.
        DataError: If the manifest of the one that is asked for cannot be read.
        PushError: If it cannot be copied, is damaged or cannot be loaded; what
            was there still serves.
    """
    history = read_history(path)
    current = find_current(history)
    source = _choose(history, current, to)
    target = open_target(path)
    described: list[Manifest] = []

    def describe(version: int) -> Manifest:
        described.append(_repeat(source, current, files, loaded, version))
        return described[-1]

    def overtaken() -> None:
        if target.versions()[-1:] != [current.version]:
            raise PushError(
                f"Another version was pushed meanwhile: {target.versions()[-1]}\n"
                f"  Where: {path}\n"
                f"  Nothing was rolled back; `graft rollback {path} --list` shows what there is."
            )

    with explained(path, "The version could not be rolled back to"), target.staging() as staged:
        files = _copy(target.address(source.version), staged)
        differ = {name for name, _ in source.files.items() ^ files.items()}
        if differ:
            raise OSError(f"{min(differ)} of {source.version} is not what was pushed")
        loaded = check(staged)
        target.deliver(staged, describe, overtaken)
    return described[-1]


def _read(target: Target, number: int) -> Manifest | Unreadable:
    address = target.address(number)
    try:
        manifest = read_manifest(address)
        if manifest is not None:
            return manifest
        files = {name: hash_file(f"{address}/{name}") for name in list_files(address)}
    except (DataError, OSError) as error:
        return Unreadable(number, str(error).splitlines()[0])
    return _unknown(number, files)


def _unknown(version: int, files: dict[str, PushedFile] | None = None) -> Manifest:
    digest = digest_files(files) if files else ""
    return Manifest(
        version=version,
        pushed_at="",
        model_digest=digest,
        files=files or {},
        first_version=version,
    )


def _choose(history: History, current: Manifest, to: int | None) -> Manifest:
    if to == current.version:
        raise UsageError(explain("This version serves already", to))
    if to is not None:
        found = [one for one in history if one.version == to]
        if not found:
            versions = [one.version for one in history[:-1]]
            raise UsageError(explain("There is no such version", to, versions))
        if isinstance(found[0], Unreadable):
            raise DataError(explain(f"This version cannot be read: {found[0].why}", to))
        return found[0]
    gone = {current.model_digest, *current.withdrawn}
    older = [
        one
        for one in history
        if isinstance(one, Manifest)
        and one.first_version < current.first_version
        and one.model_digest not in gone
    ]
    if not older:
        what = f"There is no model from before {current.first_version} to roll back to"
        raise UsageError(explain(what, current.version))
    # The one that served last: after a rollback that is not the one pushed last.
    return max(older, key=lambda one: one.version)


def _copy(source: str, staged: Path) -> dict[str, PushedFile]:
    names = [name for name in list_files(source) if name != MANIFEST]
    return {name: copy_durably(f"{source}/{name}", staged / name) for name in names}


def _repeat(
    source: Manifest,
    current: Manifest,
    files: dict[str, PushedFile],
    loaded: Loaded,
    version: int,
) -> Manifest:
    withdrawn = set(current.withdrawn) - {source.model_digest}
    if source.first_version < current.first_version and current.model_digest:
        withdrawn.add(current.model_digest)
    return source.model_copy(
        update={
            "version": version,
            "pushed_at": now(),
            "files": files,
            "warmup_requests": loaded.requests,
            "load_seconds": loaded.seconds,
            "rolled_back": RolledBack(from_version=current.version, to_version=source.version),
            "withdrawn": tuple(sorted(withdrawn)),
        }
    )
