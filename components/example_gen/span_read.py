"""A span as a source of its own: what it lists, and what tells that it changed."""

import dataclasses
import hashlib
import posixpath
from typing import NamedTuple

from components.example_gen.config import DataConfig, TfRecordSource
from components.example_gen.fingerprint import fingerprint_of, stat_of
from components.example_gen.rows import Table
from components.example_gen.slices import Slice, plan_slices
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.refusals import explained
from components.example_gen.sources.registry import read_table
from components.example_gen.sources.split_names import paths_of
from components.example_gen.sources.tfrecord import find_files
from components.example_gen.spans import Span, find_spans
from components.example_gen.splits import planned_splits


class Opened(NamedTuple):
    """A span that was looked at.

    Attributes:
        span: With its fingerprint.
        splits: Those that its source gives; None for what has none.
    """

    span: Span
    splits: frozenset[str | None]


def open_window(config: DataConfig, columns: Columns) -> list[Opened]:
    """Looks at each span that a run takes; opens no picture.

    Args:
        config: A source with spans.
        columns: What is asked of it.

    Returns:
        The spans, the oldest first.

    Raises:
        ConfigError: If the source cannot have such columns.
        DataError: If a span is absent, empty or malformed, or nobody is let in.
    """
    wanted = config.window
    if wanted is None:
        return []
    with explained(config.source.path):
        return [_open(span, config, columns) for span in find_spans(config.source.path, wanted)]


def _open(span: Span, config: DataConfig, columns: Columns) -> Opened:
    if isinstance(config.source, TfRecordSource):
        files = find_files(TfRecordSource(kind="tfrecord", path=span.path))
        listed = [
            (split, posixpath.basename(path), stat_of(path))
            for split, paths in files.items()
            for path in paths
        ]
        digest, splits = hashlib.sha256(repr(listed).encode()).hexdigest(), frozenset(files)
    else:
        table = read_rows(span, config, columns)
        digest = fingerprint_of(table, columns)
        splits = frozenset(row.split for row in table.rows)
    return Opened(span.model_copy(update={"fingerprint": digest}), splits)


def read_rows(span: Span, config: DataConfig, columns: Columns) -> Table:
    """Lists the examples of a span; their names begin with the span's.

    Args:
        span: Of a source that is no tfrecord.
        config: The source and its splits.
        columns: What is asked of it.

    Returns:
        As `read_table`.
    """
    source = config.source.model_copy(update={"path": span.path})
    table = read_table(config.model_copy(update={"source": source}), columns)

    at = f"{span.name}/"
    rows = [dataclasses.replace(one, source=at + one.source) for one in table.rows]
    aside = [dataclasses.replace(one, source=at + one.source) for one in table.quarantined]
    return Table(rows, aside, [f"span {span.name}: {note}" for note in table.notes])


def slice_records(
    span: Span, columns: Columns, folder: str, size: int
) -> list[tuple[Slice, str | None]]:
    """Cuts the TFRecord files of a span into slices.

    Args:
        span: Of a tfrecord source.
        columns: What is asked of it.
        folder: Where the records of compressed files are written to.
        size: Records in a slice, at most.

    Returns:
        Each slice, and the split that it is in, if its source gives one.
    """
    slices = []
    for split, path in paths_of(span.path).items():
        source = TfRecordSource(kind="tfrecord", path=path)
        target = posixpath.join(folder, split or "all")
        for one in plan_slices(source, columns, target, size).slices:
            slices.append((dataclasses.replace(one, name=f"{span.name}/{one.name}"), split))
    return slices


def splits_of(opened: Opened, config: DataConfig) -> tuple[str, ...]:
    """Says which splits a span will have."""
    return planned_splits(opened.splits, config.splits.model_dump())
