"""Puts one version of a model beside the others, whole or not at all; needs no TFX.

A server that watches `<path>` lists its sub-folders and loads those whose
name is a number. So a version is copied into a folder whose name is not a
number, and gets its number by one rename when every byte is there.
"""

import hashlib
import os
import shutil
import time
import uuid
from pathlib import Path

from preprocessing.errors import GraftError

STAGING_PREFIX = ".staging-"


class PushError(GraftError):
    """The model could not be put where the server watches."""


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
    return sorted(int(child.name) for child in path.iterdir() if child.name.isdecimal())


def digest_model(folder: Path) -> str:
    """Digests a model by the names and contents of its files.

    Args:
        folder: A SavedModel.

    Returns:
        `sha256:` and the hex digest; the same for equal copies.
    """
    digest = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"


def publish(model: Path, path: Path, keep: int) -> int:
    """Makes the model the newest version, and removes versions beyond `keep`.

    A model that equals the newest version already there is not copied again.

    Args:
        model: A SavedModel.
        path: Folder that the server watches; made when it is not there.
        keep: Versions that stay.

    Returns:
        The version that now serves the model: seconds since the epoch, or one
        more than the newest where that is not yet past.

    Raises:
        PushError: If a file cannot be written; what was there still serves.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        versions = list_versions(path)
        if versions and digest_model(path / str(versions[-1])) == digest_model(model):
            version = versions[-1]
        else:
            version = _stage_and_rename(model, path)
    except OSError as error:
        raise PushError(
            f"The model could not be pushed: {error}\n"
            f"  Where: {path}\n"
            "  What was serving before still is; mend the folder and run again."
        ) from error
    for old in list_versions(path)[:-keep]:
        shutil.rmtree(path / str(old), ignore_errors=True)
    return version


def _stage_and_rename(model: Path, path: Path) -> int:
    staging = path / f"{STAGING_PREFIX}{uuid.uuid4().hex}"
    try:
        shutil.copytree(model, staging)
        _sync(staging)
        return _rename_to_next_version(staging, path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _rename_to_next_version(staging: Path, path: Path) -> int:
    """Renames until a number is free, so that two pushes at once both land."""
    version = int(time.time())
    while True:
        version = max([version, *(one + 1 for one in _list_numbers(path)[-1:])])
        try:
            os.rename(staging, path / str(version))
        except OSError:
            # Rename onto a folder that is not empty: another push took the number.
            if not (path / str(version)).exists():
                raise
        else:
            return version


def _sync(folder: Path) -> None:
    """Makes the bytes durable before the rename makes them visible."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
