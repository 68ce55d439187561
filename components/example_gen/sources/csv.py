"""A table with one example a row.

Each feature and the label name the column that holds them; a picture's column
holds a path relative to the table's own folder, any other its value. The table is UTF-8, with or
without a byte order mark; comma, semicolon, tab or bar separates columns,
whichever splits the header into the wanted ones. Rows are counted as a
spreadsheet shows them: the header is row 1.
"""

import csv
import os
from collections.abc import Iterator, Sequence

import tensorflow as tf

from components.example_gen.config import SPLIT_NAMES, CsvSource
from components.example_gen.rows import Quarantined, Row, Table
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.split_names import paths_of, split_of
from components.example_gen.values import checked
from preprocessing.errors import DataError, explain

_DELIMITERS = (",", ";", "\t", "|")


def read(source: CsvSource, columns: Columns) -> Table:
    """Reads the table or tables of a source.

    Args:
        source: One table, or one for each split; which column holds the split.
        columns: Features, label, carried columns and the group's column.

    Returns:
        The table, in file order. Rows with a wrong number of fields are
        quarantined, and those that `check_row` refuses.

    Raises:
        DataError: If a file is absent, empty or no UTF-8 table, a column is
            missing, or a row's split is unknown.
    """
    table = Table([], [], [])
    for split, path in paths_of(source.path).items():
        _check_is_file(path)
        for one in read_rows(path, columns, split, source.split_column):
            table.add(one)
    if not table.rows:
        raise DataError(
            explain(
                "data.source.path: the table has no usable row.",
                f"{len(table.quarantined)} rows"
                + (f", the first: {table.quarantined[0].reason}" if table.quarantined else ""),
                see=str(source.path),
            )
        )
    return table


def read_rows(
    path: str, columns: Columns, split: str | None = None, split_column: str | None = None
) -> Iterator[Row | Quarantined]:
    """Reads one table row by row, without holding it.

    Args:
        path: The table.
        columns: See `read`.
        split: The split that all its rows are in.
        split_column: The column that tells, where `split` does not.

    Yields:
        Each row that is not blank, or why it is set aside.

    Raises:
        DataError: See `read`.
    """
    wanted = _wanted(columns, split_column if split is None else None)
    records = _records(path, wanted)
    header = next(records, None)
    if header is None:
        raise DataError(explain("data.source.path: the table is empty.", path))
    _check_header(path, header, wanted)
    for number, fields in enumerate(records, start=2):
        if not any(field.strip() for field in fields):
            continue
        source = f"{os.path.basename(path)}:{number}"
        if len(fields) != len(header):
            reason = f"the row has {len(fields)} fields, the header {len(header)}"
            yield Quarantined(source, reason, split)
            continue
        cells = {name: field.strip() for name, field in zip(header, fields, strict=True)}
        here = split
        if here is None and split_column is not None:
            here = _split_in(cells[split_column], split_column, source)
        yield checked(_row(source, cells, here, os.path.dirname(path), columns), columns)


def _row(
    source: str, cells: dict[str, str], split: str | None, folder: str, columns: Columns
) -> Row:
    values = {name: cells[feature.column] for name, feature in columns.features.items()}
    for name in columns.named("image"):
        if values[name] and "://" not in values[name]:
            values[name] = os.path.join(folder, values[name])
    carried = {name: cells[name] for name in _carried(columns)}
    group = cells[columns.group_by] or None if columns.group_by else None
    return Row(source, values, cells.get(columns.label.name, ""), split, group, carried)


def _carried(columns: Columns) -> list[str]:
    # Every example has `source` anyway.
    return [name for name in columns.carry if name not in ("source", columns.label.name)]


def _wanted(columns: Columns, split_column: str | None) -> list[str]:
    wanted = [feature.column for feature in columns.features.values()]
    wanted += [*([columns.label.name] if columns.labelled else []), *_carried(columns)]
    wanted += [name for name in (columns.group_by, split_column) if name]
    return list(dict.fromkeys(wanted))


def _check_is_file(path: str) -> None:
    if not tf.io.gfile.exists(path):
        raise DataError(explain("data.source.path: the file does not exist.", path))
    if tf.io.gfile.isdir(path):
        raise DataError(
            explain(
                "data.source.path: this is a folder; kind csv needs a file. "
                "For class folders write kind: image_folder.",
                path,
            )
        )


def _records(path: str, wanted: Sequence[str]) -> Iterator[list[str]]:
    """Yields the header and every record; explains what is no table."""
    number = 0
    try:
        lines = _lines(path)
        first = next(lines, None)
        if first is None:
            return
        delimiter = _delimiter(first, wanted)
        for fields in csv.reader(_chained(first, lines), delimiter=delimiter, strict=True):
            number += 1
            yield [field.strip() for field in fields] if number == 1 else fields
    except csv.Error as error:
        raise DataError(
            explain(f"{path}:{number + 1}: the row cannot be read as CSV.", str(error))
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            explain(
                f"{path}: the table is not UTF-8 text (after row {number}). "
                "Save it as CSV UTF-8, or run: iconv -f WINDOWS-1252 -t UTF-8",
                error.object[error.start : error.start + 1],
            )
        ) from error


def _lines(path: str) -> Iterator[str]:
    with tf.io.gfile.GFile(path, "rb") as file:
        for number, line in enumerate(file):
            yield line.decode("utf-8-sig" if number == 0 else "utf-8")


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(header: str, wanted: Sequence[str]) -> str:
    """Returns the delimiter that yields most of the wanted columns, or fields."""

    def worth(delimiter: str) -> tuple[int, int]:
        fields = [field.strip() for field in next(csv.reader([header], delimiter=delimiter), [])]
        return len(set(fields) & set(wanted)), len(fields)

    return max(_DELIMITERS, key=worth)


def _check_header(path: str, header: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in header:
            raise DataError(explain(f"{path}: the table has no such column.", name, header))
        if header.count(name) > 1:
            raise DataError(explain(f"{path}: two columns have the same name.", name))


def _split_in(value: str, column: str, source: str) -> str:
    split = split_of(value)
    if split is None:
        raise DataError(
            explain(f"{source}: column {column!r} must name a split.", value, [*SPLIT_NAMES, "val"])
        )
    return split
