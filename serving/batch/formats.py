"""The files that predictions are written to.

A shard's part has the format of the whole, so that putting parts together is
reading and writing on. A new format is a suffix in FORMATS, and in request.SUFFIXES.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from serving.batch.layout import PROBABILITIES, PROBABILITY

# Parts are gathered into row groups of this size in memory.
_GROUP_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20


class Format(NamedTuple):
    """How one kind of file is written.

    Attributes:
        write: From a table and a file open for writing bytes.
        join: From the paths of parts, in their order, their schema, and a local
            file open for writing bytes.
    """

    write: Callable[[pa.Table, IO[bytes]], None]
    join: Callable[[Sequence[str], pa.Schema, IO[bytes]], None]


class _Stream(io.RawIOBase):
    """A file as pyarrow wants it, which closes what it has written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._file.write(bytes(data))
        return len(data)


def _write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    pq.write_table(table, _Stream(file))


def _join_parquet(parts: Sequence[str], schema: pa.Schema, file: IO[bytes]) -> None:
    with pq.ParquetWriter(_Stream(file), schema) as writer:
        waiting: list[pa.Table] = []
        for path in parts:
            waiting.append(pq.ParquetFile(io.BytesIO(_read(path))).read())
            if sum(table.nbytes for table in waiting) >= _GROUP_BYTES:
                writer.write_table(pa.concat_tables(waiting).combine_chunks())
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting).combine_chunks())


def _write_jsonl(table: pa.Table, file: IO[bytes]) -> None:
    for row in _rows(table):
        plain = {name: value for name, value in row.items() if not name.startswith(PROBABILITY)}
        if len(plain) < len(row):
            plain[PROBABILITIES] = {
                name.removeprefix(PROBABILITY): value
                for name, value in row.items()
                if name not in plain
            }
        file.write(json.dumps(plain, ensure_ascii=False).encode() + b"\n")


def _join_jsonl(parts: Sequence[str], schema: pa.Schema, file: IO[bytes]) -> None:
    for path in parts:
        _copy(path, file)


def _write_csv(table: pa.Table, file: IO[bytes]) -> None:
    rows = _rows(table.select(_plain(table.schema)))
    file.write(_csv(row.values() for row in rows))


def _join_csv(parts: Sequence[str], schema: pa.Schema, file: IO[bytes]) -> None:
    file.write(_csv([_plain(schema)]))
    for path in parts:
        _copy(path, file)


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _plain(schema: pa.Schema) -> list[str]:
    """Names the columns that a cell can hold."""
    return [field.name for field in schema if not pa.types.is_list(field.type)]


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yields rows by column name, single precision with the digits that it has."""
    columns = []
    for name in table.column_names:
        column = table.column(name)
        if column.type == pa.float32():
            columns.append([float(str(value)) for value in column.to_numpy()])
        else:
            columns.append(column.to_pylist())
    for values in zip(*columns, strict=True):
        yield dict(zip(table.column_names, values, strict=True))


def _read(path: str) -> bytes:
    with tf.io.gfile.GFile(path, "rb") as file:
        return file.read()


def _copy(path: str, target: IO[bytes]) -> None:
    with tf.io.gfile.GFile(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            target.write(chunk)


FORMATS: Mapping[str, Format] = {
    ".parquet": Format(_write_parquet, _join_parquet),
    ".jsonl": Format(_write_jsonl, _join_jsonl),
    ".csv": Format(_write_csv, _join_csv),
}
