"""Which tf.Examples of others can be used, and what is kept of them.

Of a usable one the features, the label and the carried columns are kept, and
the columns are added that every example has (see shards.py); all its other
columns are dropped. Nothing else is known of a usable example than of a row of
a table: see `screen_record` for what makes one unusable.
"""

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from components.example_gen.inspect import Inspected, Picture, inspect_picture, read_picture
from components.example_gen.labels import read_label
from components.example_gen.records import (
    carried_in,
    label_in,
    parse_example,
    source_in,
    value_in,
)
from components.example_gen.rows import (
    Quarantined,
    Row,
    UnusableError,
    partial_path,
    write_lines,
)
from components.example_gen.shards import SOURCE, build_example, serialized
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.tfrecord import compression
from components.example_gen.values import check_row

# Records held in memory at a time.
_WINDOW = 32


@dataclasses.dataclass(frozen=True)
class Shard:
    """One file's worth of work.

    Attributes:
        split: The split that its records are in.
        source: TFRecord file to read.
        target: TFRecord file of usable examples to write, uncompressed.
        findings: File to write what is known of each record to.
    """

    split: str
    source: str
    target: str
    findings: str


@dataclasses.dataclass(frozen=True)
class Usable:
    """A record that passed: what is known of it, and the example to write."""

    inspected: Inspected
    example: bytes


def screen_shard(
    shard: Shard,
    columns: Columns,
    find: Callable[[bytes], str | None],
    threads: int,
    on_window: Callable[[int], None],
) -> None:
    """Writes a file's usable examples, in its order, whole or not at all.

    Args:
        shard: What to read and write.
        columns: What is asked of the records.
        find: Where the user has a record with these bytes, if known.
        threads: How many records are looked at at a time.
        on_window: Told how many more records were looked at.
    """

    def screen(numbered: tuple[int, bytes]) -> Usable | Quarantined:
        number, record = numbered
        name = f"{shard.split}/{os.path.basename(shard.source)}:{number}"
        return screen_record(record, find(record) or name, shard.split, columns)

    partial = partial_path(shard.findings)
    found: list[Inspected | Quarantined] = []
    records = tf.data.TFRecordDataset(shard.source, compression(shard.source))
    with tf.io.TFRecordWriter(partial) as writer, ThreadPoolExecutor(threads) as pool:
        for window in _windows(enumerate(records.as_numpy_iterator(), start=1)):
            for screened in pool.map(screen, window):
                if isinstance(screened, Usable):
                    writer.write(screened.example)
                    found.append(screened.inspected)
                else:
                    found.append(screened)
            on_window(len(window))
    write_lines(shard.findings, found)
    tf.io.gfile.makedirs(os.path.dirname(shard.target))
    tf.io.gfile.rename(partial, shard.target, overwrite=True)


def screen_record(record: bytes, place: str, split: str, columns: Columns) -> Usable | Quarantined:
    """Decides whether a record can be used.

    It must be a tf.Example. A feature has one value or, where it may be missing,
    none, an empty text or NaN: a picture that decodes, UTF-8 text, a category
    as text or integer (which becomes its decimal text), a number as float or
    integer. A label is text or an integer; where there may be several, also a
    list of such; where it is a number, also a float. A carried column that is
    absent is empty text.

    Args:
        record: A serialized tf.Example, or anything else.
        place: What the user knows it by, where it has no `source` of its own.
        split: The split that it is in.
        columns: What is asked of it.

    Returns:
        The example to write and what is known of it, or why it is set aside.
    """
    label = None
    try:
        features = parse_example(record)
        place = source_in(features) or place
        label = _label(features, columns)
        found = {name: value_in(features, one) for name, one in columns.features.items()}
        encoded = {name: one for name, one in found.items() if isinstance(one, bytes)}
        values = {name: place if name in encoded else str(one) for name, one in found.items()}
        carried = {
            name: carried_in(features, name)
            for name in columns.carry
            if name not in (SOURCE, columns.label.name)
        }
        row = check_row(Row(place, values, label, split, carried=carried), columns)
        pictures = {name: _inspect(name, encoded[name], columns) for name in encoded}
    except UnusableError as error:
        return Quarantined(place, str(error), split, label)
    inspected = Inspected(row, pictures)
    return Usable(inspected, serialized(build_example(inspected, encoded, columns)))


def screen_row(row: Row, columns: Columns) -> Usable | Quarantined:
    """Decides whether a row of a table can be used, once and for all: its pictures are read.

    Args:
        row: One that `check_row` has passed.
        columns: What is asked of it.

    Returns:
        As `screen_record`.
    """
    paths = {name: row.values[name] for name in columns.named("image") if row.values[name]}
    try:
        encoded = {name: read_picture(path) for name, path in paths.items()}
        pictures = {name: inspect_picture(one) for name, one in encoded.items()}
    except UnusableError as error:
        return Quarantined(row.source, str(error), row.split, row.label or None)
    inspected = Inspected(row, pictures)
    return Usable(inspected, serialized(build_example(inspected, encoded, columns)))


def _label(features: Any, columns: Columns) -> str:
    if columns.labelled:
        return read_label(label_in(features, columns.label), columns.label)
    try:
        return label_in(features, columns.label)
    except UnusableError:
        return ""


def _inspect(name: str, encoded: bytes, columns: Columns) -> Picture:
    try:
        return inspect_picture(encoded)
    except UnusableError as error:
        # A file's name would say which picture it is; a record has several.
        if len(columns.named("image")) == 1:
            raise
        raise UnusableError(f"{name}: {error}") from error


def _windows(records: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    while window := list(itertools.islice(records, _WINDOW)):
        yield window
