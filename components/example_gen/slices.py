"""Rows that are only to be predicted, in slices of a source that one worker takes at a time.

A slice is a file of rows as lines of JSON, or a run of records in a TFRecord
file. Planning reads a source once from end to end and holds none of it. A new
source is a branch in `plan_slices`.
"""

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence

import google_crc32c
import tensorflow as tf
from google.protobuf.message import DecodeError

from components.example_gen.config import CsvSource, Source, TfRecordSource
from components.example_gen.fingerprint import stat_of
from components.example_gen.rows import Quarantined, Row, read_lines, write_lines
from components.example_gen.screen import Usable, screen_record, screen_row
from components.example_gen.sources import csv, image_folder
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.tfrecord import compression, find_files
from components.example_gen.values import checked
from preprocessing.ahead import map_ahead
from preprocessing.errors import DataError, explain

# Around each record of a TFRecord file: its length and that one's checksum before
# it, its own checksum behind it.
_HEAD_BYTES = 12
_FRAME_BYTES = 16


@dataclasses.dataclass(frozen=True)
class Slice:
    """Some rows that follow on each other.

    Attributes:
        path: A file of rows, or an uncompressed one of records.
        count: How many.
        offset: Records: where in the file the first one begins; None of rows.
        name: Records: what the user knows their file by.
        first: Records: the number of the first one in the user's file, from 1.
    """

    path: str
    count: int
    offset: int | None = None
    name: str = ""
    first: int = 1


@dataclasses.dataclass(frozen=True)
class Plan:
    """A source in slices.

    Attributes:
        slices: In the source's order.
        digest: Changes when the source does: contents of a table, sizes and
            times of pictures and TFRecord files.
        labelled: Whether some row has a label.
    """

    slices: list[Slice]
    digest: str
    labelled: bool

    @property
    def rows(self) -> int:
        """Rows in all, usable or not."""
        return sum(one.count for one in self.slices)


def plan_slices(
    source: Source, columns: Columns, folder: str, size: int, classes: Sequence[str] = ()
) -> Plan:
    """Cuts a source into slices.

    Args:
        source: With one path for everything.
        columns: What is asked of the rows; not `labelled`.
        folder: Where rows are written to, and the records of files that are
            compressed, which cannot be entered in the middle.
        size: Rows in a slice, at most.
        classes: Pictures: folders that are called so tell the label.

    Returns:
        The plan.

    Raises:
        DataError: If the source is absent or malformed as a whole.
    """
    tf.io.gfile.makedirs(folder)
    path = str(source.path)
    if isinstance(source, TfRecordSource):
        return _plan_records(find_files(source)[None], columns, folder, size)
    if isinstance(source, CsvSource):
        return _plan_rows(csv.read_rows(path, columns), columns, folder, size)
    return _plan_rows(_pictures(path, columns, classes), columns, folder, size)


def read_slice(one: Slice, columns: Columns, threads: int) -> Iterator[Usable | Quarantined]:
    """Reads the rows of a slice in their order, some ahead.

    Args:
        one: The slice.
        columns: What is asked of its rows.
        threads: How many rows are read and checked at a time.

    Yields:
        Each row as an example, or why it is set aside.
    """
    if one.offset is None:
        yield from map_ahead(lambda row: _screen(row, columns), _read_rows(one.path), threads)
        return

    def screen(numbered: tuple[int, bytes | None]) -> Usable | Quarantined:
        number, record = numbered
        place = f"{one.name}:{number}"
        if record is None:
            return Quarantined(place, "the record is damaged: its checksum does not fit")
        return screen_record(record, place, "", columns)

    yield from map_ahead(screen, _read_records(one), threads)


def _screen(row: Row | Quarantined, columns: Columns) -> Usable | Quarantined:
    return screen_row(row, columns) if isinstance(row, Row) else row


def _pictures(root: str, columns: Columns, classes: Sequence[str]) -> Iterator[Row | Quarantined]:
    (feature,) = columns.features
    for path in image_folder.find_pictures(root):
        folder = path.split("/")[0]
        label = folder if folder in classes and "/" in path else ""
        yield checked(Row(path, {feature: os.path.join(root, path)}, label), columns)


def _plan_rows(rows: Iterable[Row | Quarantined], columns: Columns, folder: str, size: int) -> Plan:
    slices: list[Slice] = []
    digest = hashlib.sha256()
    labelled = False
    pictures = columns.named("image")
    remaining = iter(rows)
    while some := list(itertools.islice(remaining, size)):
        path = os.path.join(folder, f"rows-{len(slices):06d}.jsonl")
        write_lines(path, some)
        slices.append(Slice(path, len(some)))
        with tf.io.gfile.GFile(path, "rb") as file:
            digest.update(file.read())
        for row in some:
            labelled |= bool(row.label)
            if isinstance(row, Row):
                stats = [stat_of(row.values[name]) for name in pictures if row.values[name]]
                digest.update(repr(stats).encode())
    return Plan(slices, digest.hexdigest(), labelled)


def _read_rows(path: str) -> Iterator[Row | Quarantined]:
    for fields in read_lines(path):
        yield Row(**fields) if "values" in fields else Quarantined(**fields)


def _plan_records(files: Sequence[str], columns: Columns, folder: str, size: int) -> Plan:
    slices: list[Slice] = []
    digest = hashlib.sha256()
    for number, path in enumerate(files):
        digest.update(repr((path, stat_of(path))).encode())
        if compression(path):
            slices += _unpack(path, os.path.join(folder, f"records-{number:06d}"), size)
        else:
            slices += _cut(path, size)
    return Plan(slices, digest.hexdigest(), columns.label.name in columns_of_records(files))


def columns_of_records(files: Sequence[str]) -> list[str]:
    """Names the columns of the first record that is a tf.Example; none where there is none."""
    for path in files:
        for record in tf.data.TFRecordDataset(path, compression(path)).take(1).as_numpy_iterator():
            try:
                return sorted(tf.train.Example.FromString(record).features.feature)
            except DecodeError:
                return []
    return []


def _cut(path: str, size: int) -> list[Slice]:
    """Follows the lengths of the records; reads none."""
    starts = []
    position = number = 0
    with tf.io.gfile.GFile(path, "rb") as file:
        end = file.size()
        while position < end:
            if number % size == 0:
                starts.append(position)
            file.seek(position)
            head = file.read(_HEAD_BYTES)
            length = int.from_bytes(head[:8], "little")
            sound = _checksum(head[:8]) == int.from_bytes(head[8:], "little")
            if not sound or position + length + _FRAME_BYTES > end:
                # Where the next record begins is not known any more.
                what = f"{path}: damaged or cut short at byte {position}; write it again."
                raise DataError(explain(what, f"{number} whole records"))
            position += length + _FRAME_BYTES
            number += 1
    name = os.path.basename(path)
    return [
        Slice(path, min(size, number - at * size), start, name, at * size + 1)
        for at, start in enumerate(starts)
    ]


def _unpack(path: str, target: str, size: int) -> list[Slice]:
    """Writes the records of a compressed file into files of one slice each."""
    slices: list[Slice] = []
    records = tf.data.TFRecordDataset(path, compression(path)).as_numpy_iterator()
    try:
        while some := list(itertools.islice(records, size)):
            piece = f"{target}-{len(slices):06d}.tfrecord"
            with tf.io.TFRecordWriter(piece) as writer:
                for record in some:
                    writer.write(record)
            slices.append(
                Slice(piece, len(some), 0, os.path.basename(path), len(slices) * size + 1)
            )
    except tf.errors.OpError as error:
        what = f"{path}: the file is cut short or damaged; write it again."
        raise DataError(
            explain(what, f"{sum(one.count for one in slices)} whole records")
        ) from error
    return slices


def _read_records(one: Slice) -> Iterator[tuple[int, bytes | None]]:
    """Yields the records with their numbers; None for one whose checksum does not fit."""
    with tf.io.gfile.GFile(one.path, "rb") as file:
        file.seek(one.offset)
        for number in range(one.first, one.first + one.count):
            head = file.read(_HEAD_BYTES)
            record = file.read(int.from_bytes(head[:8], "little"))
            checksum = int.from_bytes(file.read(4), "little")
            yield number, record if _checksum(record) == checksum else None


def _checksum(record: bytes) -> int:
    """Masked CRC32C, as https://www.tensorflow.org/tutorials/load_data/tfrecord describes it."""
    crc = google_crc32c.value(record)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
