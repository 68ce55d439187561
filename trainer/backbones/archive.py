"""Unpacks a downloaded or local .tar, .tar.gz or .tgz without trusting it.

Only plain files and folders below the destination are written: no links, no
devices, no path that leads out, nothing executable, and never more than
`MAX_BYTES` in `MAX_FILES` files, so that a small archive cannot fill the disk.
Read to its last byte, so that a truncated archive cannot pass for a whole one.
"""

import lzma
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from preprocessing.errors import BackboneError, explain

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar")

# The largest published image backbones are below 4 GiB.
MAX_BYTES = 8 * 2**30
MAX_FILES = 10_000

_DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError)


def extract(archive: Path, folder: Path, origin: str, max_bytes: int = MAX_BYTES) -> None:
    """Unpacks an archive into a folder.

    Args:
        archive: The archive, compressed by gzip, bzip2, xz or not at all.
        folder: Where its files go; made if absent.
        origin: How the user knows the archive, for messages.
        max_bytes: Bound on the unpacked size, in bytes.

    Raises:
        BackboneError: If it is no archive, is truncated or damaged, is larger
            than the bounds, or holds anything but files and folders inside.
    """
    try:
        opened = tarfile.open(archive)  # noqa: SIM115 - entered below, under another message
    except _DAMAGED as error:
        raise BackboneError(_not_an_archive(archive, origin)) from error
    left = max_bytes
    try:
        with opened as tar:
            for count, member in enumerate(tar):
                left -= member.size
                if left < 0 or count >= MAX_FILES:
                    raise BackboneError(
                        explain(
                            f"The archive holds more than {max_bytes} bytes or {MAX_FILES} files.",
                            origin,
                        )
                    )
                _extract_member(tar, member, folder, origin)
            # Iterating stops at the end-of-archive mark; a gzip checksum comes after it.
            while tar.fileobj is not None and tar.fileobj.read(2**20):
                pass
    except _DAMAGED as error:
        raise BackboneError(
            explain(f"The archive is truncated or damaged: {error}.", origin)
        ) from error


def _extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, to: str) -> None:
    """Writes one file, or makes one folder."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise BackboneError(
            explain(f"The archive has a path that leads out of it: {member.name!r}.", to)
        )
    if member.isdir():
        return
    source = tar.extractfile(member) if member.isreg() else None
    if source is None:
        raise BackboneError(
            explain(f"The archive has a link or a device in it: {member.name!r}.", to)
        )
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)


def _not_an_archive(archive: Path, origin: str) -> str:
    """Says what the file is instead, as far as its first bytes tell."""
    with archive.open("rb") as file:
        head = file.read(512).lstrip().lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        return explain(
            "A web page is here where an archive was expected; a Kaggle handle ends in framework, "
            "variation and version, such as …/TensorFlow2/035-224-feature-vector/2.",
            origin,
        )
    return explain("The file is not a tar archive, or is truncated or damaged.", origin)
