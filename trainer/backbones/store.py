"""The store of vendored backbones: folders named by the digest of their content.

    <store>/<first 16 hex digits>/   the content, nothing else
    <store>/sources/<hash>.json      which digest a URL or file turned out to be
    <store>/staging-…/               work in progress; renamed when complete

A folder appears under its name in one step, so several processes may vendor
the same backbone at once. Imports no TensorFlow.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from preprocessing.errors import BackboneError, explain

_TAKEN = (errno.EEXIST, errno.ENOTEMPTY)


def files_below(folder: Path) -> dict[str, Path]:
    """Lists the files of a folder.

    Args:
        folder: The folder; may be missing, which gives no files.

    Returns:
        Relative name with forward slashes -> path.
    """
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def content_digest(files: Mapping[str, Path]) -> str:
    """Digests names and contents; dates and permissions do not count.

    Args:
        files: Relative name -> path.

    Returns:
        `sha256:` and the SHA-256 over one line per file, sorted by name, of
        the name, a NUL and the SHA-256 of the content, in hex.
    """
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{file_digest(files[name])}\n".encode())
    return f"sha256:{total.hexdigest()}"


def file_digest(path: Path) -> str:
    """Digests one file's content.

    Args:
        path: The file.

    Returns:
        SHA-256 in hex.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def entry(store: Path, digest: str) -> Path:
    """Names the folder of a digest.

    Args:
        store: The store.
        digest: `sha256:` and 64 hex digits.

    Returns:
        Its folder, which need not exist.
    """
    return store / digest.removeprefix("sha256:")[:16]


def is_intact(store: Path, digest: str) -> bool:
    """Reads a whole entry and compares it with its digest.

    Args:
        store: The store.
        digest: Digest of the entry.

    Returns:
        False if the entry is missing, truncated or changed in any way.
    """
    return content_digest(files_below(entry(store, digest))) == digest


@contextlib.contextmanager
def staging(store: Path) -> Iterator[Path]:
    """Gives a new empty folder inside the store, removed afterwards.

    Args:
        store: The store; made if absent.

    Yields:
        The folder, on the same file system as the entries.

    Raises:
        BackboneError: If the store cannot be written.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="staging-", dir=store))
    except OSError as error:
        raise BackboneError(
            explain(f"The store of backbones cannot be written: {error.strerror}.", str(store))
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(store: Path, staged: Path, digest: str) -> Path:
    """Moves complete content under its name; a damaged entry gives way.

    Args:
        store: The store.
        staged: Folder with the content, inside the store.
        digest: Digest of that content.

    Returns:
        The entry's folder.
    """
    target = entry(store, digest)
    if target.exists() and not is_intact(store, digest):
        damaged = staged.parent / f"damaged-{uuid.uuid4().hex}"
        with contextlib.suppress(FileNotFoundError):
            target.rename(damaged)
    try:
        staged.rename(target)
    except OSError as error:
        # Another process published the same content first: theirs is as good as ours.
        if error.errno not in _TAKEN or not is_intact(store, digest):
            raise
    return target


def remember(store: Path, source: str, digest: str) -> None:
    """Notes what a source turned out to be, so that later runs need not ask it.

    Args:
        store: The store.
        source: A URL, or the digest of a local file.
        digest: Digest of the vendored content.
    """
    note = _note(store, source)
    note.parent.mkdir(parents=True, exist_ok=True)
    temporary = note.with_name(f"{note.name}.{uuid.uuid4().hex}")
    temporary.write_text(json.dumps({"source": source, "digest": digest}), encoding="utf-8")
    os.replace(temporary, note)


def recall(store: Path, source: str) -> str | None:
    """Finds what a source turned out to be.

    Args:
        store: The store.
        source: As given to `remember`.

    Returns:
        The digest; None if the source is new or its note cannot be read.
    """
    try:
        note = json.loads(_note(store, source).read_text(encoding="utf-8"))
        return str(note["digest"]) if note["source"] == source else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(store: Path, source: str) -> Path:
    """Names the file that remembers a source."""
    return store / "sources" / f"{hashlib.sha256(source.encode()).hexdigest()[:16]}.json"
