"""Makes a model the newest version that a server finds, whole or not at all; needs no TFX.

Whatever is pushed is put together beside the others, compared with what was
read, loaded as a server would, and only then seen. Where the versions lie is
the target's matter: local_target.py, remote_target.py.
"""

import contextlib
import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from components.pusher.files import (
    PushedFile,
    copy_durably,
    digest_files,
    digest_model,
    hash_file,
    list_files,
)
from components.pusher.load_check import Loaded, check_loads
from components.pusher.loading import WARMUP
from components.pusher.manifest import Manifest, RunFacts, find_damage, read_manifest
from components.pusher.target import Target, explained, open_target
from preprocessing.errors import DataError

EXPORTS = "exports"
# Says how long things took, and so differs where nothing that is served does.
_REPORT = f"{EXPORTS}/report.json"

# Loads a staged version; raises PushError where a server could not.
Check = Callable[[Path], Loaded]


class Delivery(NamedTuple):
    """What is to be pushed.

    Attributes:
        model: Folder of the SavedModel.
        extras: Files that come with it, by their place in the version.
        facts: Where it comes from.
    """

    model: str
    extras: Mapping[str, str] = {}
    facts: RunFacts = RunFacts()


class Published(NamedTuple):
    """What became of a push.

    Attributes:
        version: The newest one, which serves.
        new: Whether this push made it.
        held_back: Why the model that was to be pushed does not serve, if so.
    """

    version: int
    new: bool
    held_back: str | None = None


def publish(
    delivery: Delivery, path: str, keep: int, check: Check = check_loads, again: bool = False
) -> Published:
    """Makes the model the newest version, and removes versions beyond `keep`.

    A model that equals the newest version already there is not copied again,
    and one that was rolled back from stays so until it is rolled forward to,
    however many others have been pushed since.

    Args:
        delivery: What to push.
        path: Folder that the server watches; made when it is not there.
        keep: Versions that stay.
        check: Loads the staged version.
        again: Whether it is pushed even where it was rolled back from.

    Returns:
        The version that now serves: seconds since the epoch, or one more than
        the highest number ever given where that is not yet past.

    Raises:
        PushError: If a file cannot be written, or the model cannot be loaded;
            what was there still serves.
    """
    target = open_target(path)
    with explained(path, "The model could not be pushed"):
        model = _hash(delivery.model)
        wanted = _Wanted(
            digest_files(model),
            _digest_exports(delivery.extras),
            WARMUP in model or WARMUP in delivery.extras,
        )

        def find_published() -> Published | None:
            return _find_published(target, wanted, again)

        def describe(version: int) -> Manifest:
            withdrawn = _read_withdrawn(target) - {wanted.model}
            return _describe(version, delivery.facts, wanted, files, loaded, withdrawn)

        published = find_published()
        if published is None:
            with target.staging() as staged:
                files = _stage(delivery, model, staged)
                loaded = check(staged)
                answer = target.deliver(staged, describe, find_published)
            published = answer if isinstance(answer, Published) else Published(answer, True)
        target.prune(keep)
    return published


class _Wanted(NamedTuple):
    """What tells pushes apart; see Manifest for the digests.

    Of the warm-up requests it is whether there are any: they may only be
    withdrawn by a version without them, as one that is there never changes.
    """

    model: str
    exports: str | None
    warmup: bool


def _hash(folder: str) -> dict[str, PushedFile]:
    return {name: hash_file(f"{folder}/{name}") for name in list_files(folder)}


def _digest_exports(extras: Mapping[str, str]) -> str | None:
    names = [name for name in extras if name.startswith(f"{EXPORTS}/") and name != _REPORT]
    return digest_files({name: hash_file(extras[name]) for name in names}) if names else None


def _stage(
    delivery: Delivery, model: Mapping[str, PushedFile], staged: Path
) -> dict[str, PushedFile]:
    sources = {name: f"{delivery.model}/{name}" for name in model} | dict(delivery.extras)
    files = {name: copy_durably(source, staged / name) for name, source in sources.items()}
    for name, file in model.items():
        if name not in delivery.extras and files[name] != file:
            raise OSError(f"{sources[name]} changed while it was copied")
    return files


def _find_published(target: Target, wanted: _Wanted, again: bool) -> Published | None:
    """Says whether the newest version makes this push needless."""
    versions = target.versions()
    if not versions:
        return None
    newest, address = versions[-1], target.address(versions[-1])
    if wanted.model in _read_withdrawn(target) and not again:
        return Published(
            newest,
            False,
            "this very model was rolled back from; `graft rollback --to` or "
            f"`--set push.again=true` brings it back, and {newest} goes on serving",
        )
    try:
        manifest = read_manifest(address)
    except DataError:
        return None
    if manifest is None:
        # From before there were manifests, or by another pusher.
        same = wanted.exports is None and digest_model(address) == wanted.model
        return Published(newest, False) if same else None
    warmup = WARMUP in manifest.files
    same = wanted == (manifest.model_digest, manifest.exports_digest, warmup)
    if same and find_damage(address, manifest.files) is None:
        return Published(newest, False)
    return None


def _read_withdrawn(target: Target) -> set[str]:
    """Digests of the models that were rolled back from, by the last manifest there is."""
    for number in reversed(target.versions()):
        with contextlib.suppress(DataError):
            manifest = read_manifest(target.address(number))
            if manifest is not None:
                return set(manifest.withdrawn)
    return set()


def _describe(
    version: int,
    facts: RunFacts,
    wanted: _Wanted,
    files: dict[str, PushedFile],
    loaded: Loaded,
    withdrawn: set[str],
) -> Manifest:
    return Manifest(
        **dict(facts),
        version=version,
        pushed_at=now(),
        model_digest=wanted.model,
        exports_digest=wanted.exports,
        files=files,
        warmup_requests=loaded.requests,
        load_seconds=loaded.seconds,
        first_version=version,
        withdrawn=tuple(sorted(withdrawn)),
    )


def now() -> str:
    """The time in UTC, as manifests say it."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
