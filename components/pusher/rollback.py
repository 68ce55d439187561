"""Goes back to the model of an older version, which becomes the newest version once more.

A server serves the highest number that it finds. So what is rolled back to is
pushed again, under a number of its own, and nothing is taken away: the version
that was rolled back from stays, and can be rolled forward to.
"""

from collections.abc import Sequence
from pathlib import Path

from components.pusher.errors import PushError
from components.pusher.files import PushedFile, copy_durably, digest_files, hash_file, list_files
from components.pusher.load_check import Loaded, check_loads
from components.pusher.manifest import MANIFEST, Manifest, RolledBack, read_manifest
from components.pusher.publish import Check, now
from components.pusher.target import Target, explained, open_target
from preprocessing.errors import UsageError, explain


def read_history(path: str) -> list[Manifest]:
    """Reads what is known of each version, the oldest first.

    A version without a manifest, from another pusher, is described by its files.

    Args:
        path: Folder or address that a server watches.

    Raises:
        UsageError: If there is no version.
        DataError: If a manifest cannot be understood.
        PushError: If the folder cannot be read.
    """
    with explained(path, "The versions cannot be read"):
        target = open_target(path)
        numbers = target.versions()
        if not numbers:
            raise UsageError(explain("There is no version of a model here", path))
        return [_read(target, number) for number in numbers]


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
        PushError: If it cannot be copied, is damaged or cannot be loaded; what
            was there still serves.
    """
    history = read_history(path)
    source, current = _choose(history, to), history[-1]
    target = open_target(path)
    described: list[Manifest] = []

    def describe(version: int) -> Manifest:
        described.append(_repeat(source, current, files, loaded, version))
        return described[0]

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
    return described[0]


def _read(target: Target, number: int) -> Manifest:
    address = target.address(number)
    manifest = read_manifest(address)
    if manifest is not None:
        return manifest
    files = {name: hash_file(f"{address}/{name}") for name in list_files(address)}
    return Manifest(
        version=number,
        pushed_at="",
        model_digest=digest_files(files),
        files=files,
        first_version=number,
    )


def _choose(history: Sequence[Manifest], to: int | None) -> Manifest:
    current = history[-1]
    if to == current.version:
        raise UsageError(explain("This version serves already", to))
    if to is not None:
        found = [one for one in history if one.version == to]
        if not found:
            versions = [one.version for one in history[:-1]]
            raise UsageError(explain("There is no such version", to, versions))
        return found[0]
    gone = {current.model_digest, *current.withdrawn}
    older = [
        one
        for one in history
        if one.first_version < current.first_version and one.model_digest not in gone
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
    if source.first_version < current.first_version:
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
