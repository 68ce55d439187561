"""A digest that changes when the data does, for TFX's cache key."""

import hashlib

import tensorflow as tf

from components.example_gen.config import DataConfig
from components.example_gen.rows import Table
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.registry import read_table


def fingerprint(config: DataConfig, columns: Columns) -> str:
    """Digests what the source lists, and each picture's size and time.

    No picture is opened: a file replaced by another of the same size and
    modification time goes unnoticed, as with make or rsync. A missing picture
    counts as such.

    Args:
        config: The source.
        columns: What is asked of it.

    Returns:
        64 hexadecimal digits.

    Raises:
        ConfigError: If the source cannot have such columns.
        DataError: If the source is absent, empty or malformed.
    """
    return fingerprint_of(read_table(config, columns), columns)


def fingerprint_of(table: Table, columns: Columns) -> str:
    """Digests a table that has been read; see `fingerprint`."""
    digest = hashlib.sha256()
    for kept in table.quarantined:
        digest.update(repr((kept.source, kept.reason)).encode())
    for row in table.rows:
        stats = [_stat(row.values[name]) for name in columns.features]
        parts = (row.source, sorted(row.values.items()), row.label, row.split, row.group, stats)
        digest.update(repr(parts).encode())
    return digest.hexdigest()


def _stat(path: str) -> tuple[int, int] | None:
    try:
        found = tf.io.gfile.stat(path)
    except tf.errors.OpError:
        return None
    return found.length, found.mtime_nsec
