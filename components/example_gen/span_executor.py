"""Puts the examples of a window together from its spans, and reads those that are new.

A span's examples depend on that span alone, their splits too; so a span that was
read is only put in its place, whatever window it is in.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from absl import logging

from components.example_gen import executor, label_checks, outcome, span_store, workers
from components.example_gen.config import DataConfig, TfRecordSource
from components.example_gen.ingest_executor import Found, Task
from components.example_gen.inspect import Inspected
from components.example_gen.rows import Quarantined, read_lines, write_lines
from components.example_gen.shards import inspected_from, plan_shards
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.split_names import paths_of
from components.example_gen.span_read import open_window, read_rows, slice_records
from components.example_gen.span_records import DealOut, Part, ScreenPart
from components.example_gen.spans import Span
from components.example_gen.splits import assign_splits, members_of, planned_splits

_INSPECTED = "inspected.jsonl"
_ABOUT = "about.json"


class _Read(NamedTuple):
    """What came of a span.

    Attributes:
        inspected: Each example; its row says the split.
        quarantined: What was set aside.
        notes: Sentences for the summary.
        planned: Splits that there should be.
    """

    inspected: list[Inspected]
    quarantined: list[Quarantined]
    notes: list[str]
    planned: list[str]


class Executor(executor.Executor):
    """Reads what is new of a window into an Examples artifact of all of it."""

    def _ingest(self, task: Task) -> Found:
        config, columns = task.config, task.columns
        share, root = config.max_quarantined_share, task.properties["store"]
        spans = _spans(task)
        code = task.properties["code_digest"]
        keys = [span_store.key_of(span, config, columns, code) for span in spans]

        reads, uses = [], []
        for span, key in zip(spans, keys, strict=True):
            read, state = self._take(span, key, task)
            count = len(read.inspected)
            # In a window, the other spans would hide how bad one is.
            outcome.check_quarantine(
                read.quarantined, count + len(read.quarantined), share, task.uri
            )
            reads.append(read)
            named = span.model_dump(include={"name", "version"})
            uses.append({**named, "span": span.number, "examples": count, "state": state})
            logging.info("Span %s: %s", span.name, uses[-1])
        inspected = [one for read in reads for one in read.inspected]
        quarantined = [one for read in reads for one in read.quarantined]
        outcome.judge(inspected, quarantined, columns, share, task.uri)
        splits = [str(example.row.split) for example in inspected]
        planned = sorted({name for read in reads for name in read.planned})
        label_checks.check_splits(inspected, splits, columns.label, planned, by_hash=True)
        if root:
            span_store.prune(root, keys)
        # As TFX's own drivers say it.
        task.artifact.set_int_custom_property("span", spans[-1].number)
        if spans[-1].version is not None:
            task.artifact.set_int_custom_property("version", spans[-1].version)
        notes = [note for read in reads for note in read.notes]
        summary = outcome.summarise(inspected, splits, quarantined, columns, notes)
        return quarantined, summary | {"spans": uses}

    def _take(self, span: Span, key: str, task: Task) -> tuple[_Read, str]:
        """Puts the examples of a span in their place; says whether they were kept or are new."""
        root = task.properties["store"]
        kept = _take_kept(f"{root}/{key}", span, task.uri) if root else None
        if kept is not None:
            return kept, "kept"
        folder = os.path.join(task.work, key)
        self._read(span, task.config, task.columns, folder)
        if root:
            span_store.keep(folder, root, key)
        return _place(folder, span_store.files_in(folder), span, task.uri), "new"

    def _read(self, span: Span, config: DataConfig, columns: Columns, folder: str) -> None:
        """Reads one span into a folder, as span_store.py describes it."""
        work = os.path.join(folder, ".work")
        tf.io.gfile.makedirs(work)
        if isinstance(config.source, TfRecordSource):
            inspected, quarantined = self._read_records(span, config, columns, folder)
            given, notes = set(paths_of(span.path)), []
        else:
            table = read_rows(span, config, columns)
            given, notes = {row.split for row in table.rows}, table.notes
            inspected, unusable = self._inspect(table.rows, columns, work)
            inspected = _with_splits(inspected, config, columns)
            quarantined = [*table.quarantined, *unusable]
            splits = [str(one.row.split) for one in inspected]
            self._write(plan_shards(inspected, splits, config.shard_examples), columns, folder)
        write_lines(os.path.join(folder, _INSPECTED), inspected)
        outcome.write_quarantine(os.path.join(folder, outcome.QUARANTINE), quarantined)
        planned = planned_splits(given, config.splits.model_dump())
        about = {"notes": notes, "planned": planned}
        outcome.write_summary(os.path.join(folder, _ABOUT), about)
        tf.io.gfile.rmtree(work)
        span_store.seal(folder)

    def _read_records(
        self, span: Span, config: DataConfig, columns: Columns, folder: str
    ) -> tuple[list[Inspected], list[Quarantined]]:
        """Screens the records of a span, then deals them out to its splits."""
        work = os.path.join(folder, ".work")
        slices = slice_records(span, columns, work, config.shard_examples)
        parts = [
            Part(one, split, os.path.join(work, f"part-{number:05d}"))
            for number, (one, split) in enumerate(slices)
        ]
        total = sum(part.slice.count for part in parts)
        workers.run_each(self._make_beam_pipeline(), ScreenPart(columns, total), parts)
        found = [[*read_lines(part.findings)] for part in parts]
        usable = [[inspected_from(one) for one in some if "pictures" in one] for some in found]
        flat = _with_splits([one for some in usable for one in some], config, columns)
        remaining = iter(flat)
        for some, part in zip(usable, parts, strict=True):
            write_lines(part.plan, [next(remaining) for _ in some])
        targets = [
            (part, folder, f"data_tfrecord-{number:05d}-of-{len(parts):05d}")
            for number, part in enumerate(parts)
        ]
        workers.run_each(self._make_beam_pipeline(), DealOut(), targets)
        aside = [Quarantined(**one) for some in found for one in some if "pictures" not in one]
        return flat, aside


def _spans(task: Task) -> list[Span]:
    """The window as it was declared, else as it is now."""
    if task.properties["window"]:
        return [Span.model_validate(one) for one in json.loads(task.properties["window"])]
    return [one.span for one in open_window(task.config, task.columns)]


def _with_splits(
    inspected: Sequence[Inspected], config: DataConfig, columns: Columns
) -> list[Inspected]:
    """Says in each row which split it is in."""
    members = members_of(inspected, columns.label)
    splits = assign_splits(members, config.splits.model_dump(), by_hash=True)
    return [
        dataclasses.replace(one, row=dataclasses.replace(one.row, split=split))
        for one, split in zip(inspected, splits, strict=True)
    ]


def _take_kept(folder: str, span: Span, uri: str) -> _Read | None:
    """Puts a span in its place that was read already; None where it is not there, or not whole."""
    files = span_store.files_in(folder)
    try:
        return _place(folder, files, span, uri) if files else None
    except tf.errors.NotFoundError:
        # Another run, on another machine perhaps, has just deleted it.
        return None


def _place(folder: str, files: Sequence[str], span: Span, uri: str) -> _Read:
    """Puts the files of a span where those of the window are, and reads what is known of them."""
    for name in files:
        if name.startswith("Split-"):
            split, file = name.split("/")
            target = file.replace("data_tfrecord-", f"data_tfrecord-span-{span.name}-", 1)
            span_store.place(f"{folder}/{name}", os.path.join(uri, split, target))
    quarantined = read_lines(os.path.join(folder, outcome.QUARANTINE))
    with tf.io.gfile.GFile(os.path.join(folder, _ABOUT)) as file:
        about = json.loads(file.read())
    return _Read(
        [inspected_from(fields) for fields in read_lines(os.path.join(folder, _INSPECTED))],
        [Quarantined(**fields) for fields in quarantined],
        **about,
    )
