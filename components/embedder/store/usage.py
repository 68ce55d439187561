"""What a store holds, and what is deleted of it: the least recently used first."""

import contextlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from components.embedder.store.files import UNFINISHED, Files, Found, files_at, ignore_gone
from components.embedder.store.namespace import ABOUT
from components.embedder.store.segment import SUFFIX, count_rows

GIGABYTE = 10**9
# Whoever is writing a file has renamed it long before.
_ABANDONED_SECONDS = 3600.0
# As namespace.py names folders.
_NAMESPACE = re.compile("[0-9a-f]{32}")


class NamespaceUsage(NamedTuple):
    """One namespace of a store.

    Attributes:
        id: Name of its folder.
        about: What namespace.json says; empty where it cannot be read.
        entries: Vectors.
        segments: Files.
        bytes: Of the files.
        used: When one of them was last used, in seconds since 1970.
    """

    id: str
    about: Mapping[str, Any]
    entries: int
    segments: int
    bytes: int
    used: float


class Pruned(NamedTuple):
    """What was deleted, and what is left."""

    segments: int
    bytes: int
    left_bytes: int


def read_usage(root: str) -> list[NamespaceUsage]:
    """Says what a store holds.

    Args:
        root: Its folder or address; need not exist.

    Returns:
        One for each namespace that holds something, the last used first.
    """
    files = files_at(root)
    usages = []
    for folder in _namespaces(files, root):
        segments = [one for one in files.listing(folder) if one.name.endswith(SUFFIX)]
        if segments:
            about = _read_about(root, folder)
            row_bytes = int(about.get("width", 0)) * (2 if about.get("dtype") == "float16" else 4)
            entries = sum(count_rows(one.size, row_bytes) for one in segments) if row_bytes else 0
            size, used = sum(one.size for one in segments), max(one.used for one in segments)
            name = folder.rstrip("/").rpartition("/")[2]
            usages.append(NamespaceUsage(name, about, entries, len(segments), size, used))
    return sorted(usages, key=lambda one: -one.used)


def prune(root: str, max_bytes: float, *, older_than_seconds: float | None = None) -> Pruned:
    """Deletes segments until the rest fits, those first that were not used for longest.

    Safe while others use the store: they compute anew what they do not find.

    Args:
        root: The store's folder or address; need not exist.
        max_bytes: What may stay.
        older_than_seconds: Deletes whatever was not used for so long, too.

    Returns:
        What was deleted.

    Raises:
        OSError: A file cannot be deleted.
    """
    files, now = files_at(root), time.time()
    segments: list[Found] = []
    for folder in _namespaces(files, root):
        for one in files.listing(folder):
            if one.name.endswith(SUFFIX):
                segments.append(one)
            elif one.name.endswith(UNFINISHED) and now - one.used > _ABANDONED_SECONDS:
                ignore_gone(lambda path=one.path: files.remove(path))  # type: ignore[misc]
    left = sum(one.size for one in segments)
    count = freed = 0
    for one in sorted(segments, key=lambda one: (one.used, one.path)):
        old = older_than_seconds is not None and now - one.used > older_than_seconds
        if left <= max_bytes and not old:
            break
        if ignore_gone(lambda path=one.path: files.remove(path)):  # type: ignore[misc]
            count, freed = count + 1, freed + one.size
        left -= one.size
    _remove_empty(root)
    return Pruned(count, freed, left)


def _namespaces(files: Files, root: str) -> list[str]:
    """Folders that are ours by their names: a store may lie where others have files."""
    folders = files.folders(root)
    return [one for one in folders if _NAMESPACE.fullmatch(one.rstrip("/").rpartition("/")[2])]


def _remove_empty(root: str) -> None:
    """Removes the namespaces without a segment."""
    files = files_at(root)
    for folder in _namespaces(files, root):
        listing = files.listing(folder)
        if {one.name for one in listing} <= {ABOUT}:
            for one in listing:
                ignore_gone(lambda path=one.path: files.remove(path))  # type: ignore[misc]
            files.remove_folder(folder)


def _read_about(root: str, folder: str) -> Mapping[str, Any]:
    # A few kilobytes; whoever wrote it may be writing still, or have lost it.
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(files_at(root).read(f"{folder}/{ABOUT}", 0, 2**20))
        return content if isinstance(content, dict) else {}
    return {}
