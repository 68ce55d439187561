"""What `graft cache` does: looks into a feature store, and deletes of it.

Imports no TensorFlow for a store on this machine. A new figure of a namespace
is a key in `_as_dict` and a column in `render_cache`.
"""

import datetime
import re
import time
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.embedder.config import SETTINGS_FILE, CacheConfig, read_settings
from components.embedder.store.usage import (
    GIGABYTE,
    NamespaceUsage,
    Pruned,
    prune,
    read_usage,
)
from pipeline.code_digest import digest_code
from preprocessing.errors import UsageError, explain

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORKDIR = ".graft"
_BAR = 30


class Store(NamedTuple):
    """A feature store and its limit.

    Attributes:
        path: Folder or address.
        max_bytes: What it may hold.
    """

    path: str
    max_bytes: float


def find_store(place: str | None) -> Store:
    """Finds the store that the command line means.

    Args:
        place: A config, a store's folder, a working folder or the one above it,
            or an address; None means the working folder below this one.

    Returns:
        The store.

    Raises:
        UsageError: There is nothing at `place`, or it holds something else.
    """
    limit = CacheConfig().max_gb * GIGABYTE
    if place is None:
        return _of_workdir(Path(_WORKDIR)) or Store(str(Path(_WORKDIR) / "features"), limit)
    if "://" in place:
        return Store(place, limit)
    path = Path(place)
    if path.is_file():
        from pipeline.config import load_config

        config = load_config(path, must_exist=False)
        return Store(config.feature_store, config.cache.max_gb * GIGABYTE)
    if not path.is_dir():
        what = "There is no such config and no such folder"
        raise UsageError(explain(what, place, see="graft cache --help"))
    for folder in (path, path / _WORKDIR):
        found = _of_workdir(folder)
        if found:
            return found
    if any(path.iterdir()) and not read_usage(place):
        what = "The folder holds no feature vectors and is no working folder"
        raise UsageError(explain(what, place, see="graft cache --help"))
    return Store(place, limit)


def parse_age(text: str) -> float:
    """Reads an age such as 30d.

    Returns:
        Seconds.

    Raises:
        UsageError: It is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text)
    if not match:
        what = "--older-than takes a number of minutes, hours, days or weeks"
        raise UsageError(explain(what, text, ["45m", "12h", "30d", "4w"]))
    return float(match[1]) * _UNITS[match[2]]


def look(store: Store, pruned: Pruned | None = None) -> dict[str, Any]:
    """Says what a store holds, as JSON can hold it.

    Args:
        store: The store.
        pruned: What has just been deleted of it.

    Returns:
        The store with its namespaces, the last used first.
    """
    try:
        usage = read_usage(store.path)
    except OSError as error:
        raise UsageError(
            explain(f"The feature store cannot be read: {error}", store.path)
        ) from None
    content = {
        "path": store.path,
        "bytes": sum(one.bytes for one in usage),
        "max_bytes": int(store.max_bytes),
        "vectors": sum(one.entries for one in usage),
        "namespaces": [_as_dict(one) for one in usage],
    }
    if pruned is not None:
        content["deleted"] = {"files": pruned.segments, "bytes": pruned.bytes}
    return content


def prune_store(store: Store, max_bytes: float, older_than_seconds: float | None) -> Pruned:
    """Deletes of a store; see components.embedder.store.usage.prune.

    Raises:
        UsageError: A file cannot be deleted.
    """
    try:
        return prune(store.path, max_bytes, older_than_seconds=older_than_seconds)
    except OSError as error:
        what = f"The feature store cannot be pruned: {error}"
        raise UsageError(explain(what, store.path)) from None


def render_cache(content: dict[str, Any], console: Console) -> None:
    """Shows what `look` found to a person.

    Args:
        content: What it returned.
        console: Where to write.
    """
    deleted = content.get("deleted")
    if deleted is not None:
        text = f"Deleted {deleted['files']:,} files, {_size(deleted['bytes'])}"
        console.print(Text(text if deleted["files"] else "There was nothing to delete"))
    if not content["namespaces"]:
        console.print(Text(f"No feature vectors are kept in {content['path']}"), soft_wrap=True)
        return
    console.print(Text(content["path"], style="bold"), soft_wrap=True)
    console.print(_fullness(content))
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("Backbone", overflow="fold", min_width=16)
    table.add_column("Of", no_wrap=True)
    for header in ("Vectors", "Floats", "Size"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("Last used", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in content["namespaces"]:
        style = "" if one["current"] else "dim"
        handle = one["handle"] or f"unknown ({one['id'][:8]})"
        cells = (
            handle,
            {"image": "pictures", "text": "texts"}.get(one["kind"], "-"),
            f"{one['vectors']:,}" if one["width"] else "-",
            _floats(one),
            _size(one["bytes"]),
            _ago(one["last_used"]),
            "" if one["current"] else "outdated",
        )
        table.add_row(*(Text(cell) for cell in cells), style=style)
    console.print(table)
    if not all(one["current"] for one in content["namespaces"]):
        console.print()
        console.print(Text("outdated: made by other code or another TensorFlow than this one"))


def _floats(namespace: dict[str, Any]) -> str:
    """How many a vector has, and which where they are not the usual ones."""
    if not namespace["width"]:
        return "-"
    kind = "" if namespace["dtype"] == "float32" else f" {namespace['dtype']}"
    return f"{namespace['width']:,}{kind}"


def _of_workdir(folder: Path) -> Store | None:
    """The store of a working folder's last run."""
    settings = folder / SETTINGS_FILE
    if not settings.is_file():
        return None
    found = read_settings(str(settings))
    if found.path:
        return Store(found.path, found.max_bytes)
    return Store(str(folder / "features"), CacheConfig().max_gb * GIGABYTE)


def _as_dict(usage: NamespaceUsage) -> dict[str, Any]:
    identity = usage.about.get("identity", {})
    used = datetime.datetime.fromtimestamp(usage.used, datetime.timezone.utc)
    now = {"code": digest_code("Vectors"), "tensorflow": metadata.version("tensorflow")}
    return {
        "id": usage.id,
        "handle": usage.about.get("handle", ""),
        "kind": usage.about.get("kind", ""),
        "digest": identity.get("backbone", {}).get("digest", ""),
        "width": usage.about.get("width", 0),
        "dtype": usage.about.get("dtype", "float32"),
        "vectors": usage.entries,
        "files": usage.segments,
        "bytes": usage.bytes,
        "last_used": used.isoformat(timespec="seconds"),
        "current": all(identity.get(key) == value for key, value in now.items()),
    }


def _fullness(content: dict[str, Any]) -> Text:
    held, limit = content["bytes"], content["max_bytes"]
    share = min(1.0, held / limit) if limit else 1.0
    full = max(1, round(share * _BAR))
    colour = "red" if share > 0.95 else "yellow" if share > 0.75 else "green"
    text = Text("█" * full, style=colour).append("░" * (_BAR - full), style="dim")
    return text.append(
        f" {_size(held)} of {_size(limit)}, {content['vectors']:,} vectors", style="default"
    )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _ago(when: str) -> str:
    # The clock of a bucket, or of another machine, may be ahead of ours.
    seconds = max(0.0, time.time() - datetime.datetime.fromisoformat(when).timestamp())
    for unit, name in (("w", "week"), ("d", "day"), ("h", "hour"), ("m", "minute")):
        count = int(seconds // _UNITS[unit])
        if count:
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"
