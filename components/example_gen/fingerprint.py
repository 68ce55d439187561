"""A digest that changes when the data does, for TFX's cache key."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from components.example_gen.rows import Table
from components.example_gen.sources.columns import Columns

# A bucket takes its time for an answer, however many it is asked for at once.
_AT_ONCE = 32


def fingerprint_of(table: Table, columns: Columns) -> str:
    """Digests what a source lists, and each picture's size and time.

    No picture is opened: a file replaced by another of the same size and
    modification time goes unnoticed, as with make or rsync. A missing picture
    counts as such.

    Args:
        table: What the source lists.
        columns: What was asked of it.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    pictures = columns.named("image")
    paths = [row.values[name] for row in table.rows for name in pictures if row.values[name]]
    stats = iter(_stats_of(paths))
    for kept in table.quarantined:
        digest.update(repr((kept.source, kept.reason)).encode())
    for row in table.rows:
        own = [next(stats) for name in pictures if row.values[name]]
        columns_of_row = sorted({**row.values, **row.carried}.items())
        parts = (row.source, columns_of_row, row.label, row.split, row.group, own)
        digest.update(repr(parts).encode())
    return digest.hexdigest()


def stat_of(path: str) -> tuple[int, int] | None:
    """Returns a file's size and modification time; None where there is no such file."""
    try:
        found = tf.io.gfile.stat(path)
    except tf.errors.OpError:
        return None
    return found.length, found.mtime_nsec


def _stats_of(paths: Sequence[str]) -> list[tuple[int, int] | None]:
    """Does for many what `stat_of` does for one; at an address, some at a time."""
    if not any("://" in path for path in paths):
        return [stat_of(path) for path in paths]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(stat_of, paths))
