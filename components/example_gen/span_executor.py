"""Puts the examples of a window together from its spans, and reads those that are new.

A span's examples depend on that span alone, their splits too; so a span that was
read is only put in its place, whatever window it is in.
"""

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.types import artifact_utils

from components.example_gen import executor, label_checks, outcome, span_store, workers
from components.example_gen.artifact import finish_examples
from components.example_gen.config import SPLIT_NAMES, DataConfig, TfRecordSource
from components.example_gen.inspect import Inspected
from components.example_gen.rows import Quarantined, count_allowed, read_lines, write_lines
from components.example_gen.screen import Usable
from components.example_gen.shards import inspected_from, plan_shards
from components.example_gen.slices import Slice, read_slice
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.split_names import paths_of
from components.example_gen.span_read import open_window, read_rows, slice_records
from components.example_gen.spans import Span
from components.example_gen.splits import assign_splits, members_of, planned_splits

_INSPECTED = "inspected.jsonl"
_ABOUT = "about.json"


class _Read(NamedTuple):
    """What came of a span.

    Attributes:
        folder: Holds its examples.
        inspected: Each example; its row says the split.
        quarantined: What was set aside.
        notes: Sentences for the summary.
        planned: Splits that there should be.
    """

    folder: str
    inspected: list[Inspected]
    quarantined: list[Quarantined]
    notes: list[str]
    planned: list[str]


class Executor(executor.Executor):
    """Reads what is new of a window into an Examples artifact of all of it."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes tf.Examples, quarantine.jsonl and ingest.json.

        Args:
            input_dict: Nothing is read from the pipeline.
            output_dict: `examples`, one Examples artifact.
            exec_properties: See `SpanExampleGen`.

        Raises:
            ConfigError: If the source cannot have the configured columns.
            DataError: If the data cannot be trained on.
            QuarantineError: If more than the tolerated share of a span is unusable;
                the list is then kept outside the artifact, which TFX deletes.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict["examples"])
        config = DataConfig.model_validate_json(exec_properties["config"])
        columns = Columns.model_validate_json(exec_properties["columns"])
        spans = _spans(exec_properties, config, columns)
        root, code = exec_properties["store"], exec_properties["code_digest"]
        keys = [span_store.key_of(span, config, columns, code) for span in spans]

        uses, inspected, quarantined, notes = [], [], [], []
        planned: set[str] = set()
        for span, key in zip(spans, keys, strict=True):
            kept = bool(root and span_store.files_in(f"{root}/{key}"))
            folder = f"{root}/{key}" if kept else os.path.join(artifact.uri, ".work", key)
            if not kept:
                self._read(span, config, columns, folder)
            read = _load(folder)
            _check_share(span, read, config, artifact.uri)
            if root and not kept:
                span_store.keep(folder, root, key)
            _put_in_place(read, span, artifact.uri)
            inspected += read.inspected
            quarantined += read.quarantined
            notes += read.notes
            planned |= set(read.planned)
            uses.append(
                {
                    **span.model_dump(include={"name", "version"}),
                    "span": span.number,
                    "examples": len(read.inspected),
                    "state": "kept" if kept else "new",
                }
            )
            logging.info("Span %s: %s", span.name, uses[-1])
        share = config.max_quarantined_share
        outcome.judge(inspected, quarantined, columns, share, artifact.uri)
        splits = [str(example.row.split) for example in inspected]
        label_checks.check_splits(inspected, splits, columns.label, sorted(planned))
        if root:
            span_store.prune(root, keys)
        work = os.path.join(artifact.uri, ".work")
        if tf.io.gfile.exists(work):
            tf.io.gfile.rmtree(work)

        summary = outcome.summarise(inspected, splits, quarantined, columns, notes)
        names = [name for name in SPLIT_NAMES if name in summary["examples"]]
        finish_examples(artifact, names, quarantined, summary | {"spans": uses})
        # As TFX's own drivers say it.
        artifact.set_int_custom_property("span", spans[-1].number)
        if spans[-1].version is not None:
            artifact.set_int_custom_property("version", spans[-1].version)

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
        parts = [os.path.join(work, f"part-{number:05d}") for number in range(len(slices))]
        total = sum(one.count for one, _ in slices)
        elements = [(*one, part) for one, part in zip(slices, parts, strict=True)]
        workers.run_each(self._make_beam_pipeline(), _ScreenSlice(columns, total), elements)
        found = [[*read_lines(_findings(part))] for part in parts]
        usable = [[inspected_from(one) for one in some if "pictures" in one] for some in found]
        flat = _with_splits([one for some in usable for one in some], config, columns)
        remaining = iter(flat)
        for some, part in zip(usable, parts, strict=True):
            write_lines(_plan(part), [next(remaining) for _ in some])
        targets = [
            (part, folder, f"data_tfrecord-{number:05d}-of-{len(parts):05d}")
            for number, part in enumerate(parts)
        ]
        workers.run_each(self._make_beam_pipeline(), _DealOut(), targets)
        aside = [Quarantined(**one) for some in found for one in some if "pictures" not in one]
        return flat, aside


def _spans(exec_properties: dict[str, Any], config: DataConfig, columns: Columns) -> list[Span]:
    """The window as it was declared, else as it is now."""
    if exec_properties["window"]:
        return [Span.model_validate(one) for one in json.loads(exec_properties["window"])]
    return [one.span for one in open_window(config, columns)]


class _ScreenSlice(beam.DoFn):
    """Writes the usable examples of a slice, and what is known of all."""

    def __init__(self, columns: Columns, total: int) -> None:
        self._columns = columns
        self._total = total

    def process(self, element: tuple[Slice, str | None, str]) -> Iterator[None]:
        one, split, part = element
        found: list[Inspected | Quarantined] = []
        with tf.io.TFRecordWriter(part) as writer:
            for row in read_slice(one, self._columns, workers.threads()):
                if isinstance(row, Usable):
                    writer.write(row.example)
                    named = dataclasses.replace(row.inspected.row, split=split)
                    found.append(dataclasses.replace(row.inspected, row=named))
                else:
                    found.append(dataclasses.replace(row, split=split))
        write_lines(_findings(part), found)
        workers.report(os.path.dirname(part), one.count, self._total, "examples checked")
        yield from ()


class _DealOut(beam.DoFn):
    """Writes the examples of a part to the files of their splits, mixed by content."""

    def process(self, element: tuple[str, str, str]) -> Iterator[None]:
        part, folder, name = element
        rows = [inspected_from(fields) for fields in read_lines(_plan(part))]
        records = tf.data.TFRecordDataset(part).as_numpy_iterator()
        dealt = sorted(zip([one.content for one in rows], records, rows, strict=True), key=_first)
        for split in sorted({str(one.row.split) for one in rows}):
            target = os.path.join(folder, f"Split-{split}")
            tf.io.gfile.makedirs(target)
            with tf.io.TFRecordWriter(os.path.join(target, name)) as writer:
                for _, record, one in dealt:
                    if one.row.split == split:
                        writer.write(record)
        yield from ()


def _first(row: tuple[str, bytes, Inspected]) -> str:
    return row[0]


def _findings(part: str) -> str:
    return f"{part}.jsonl"


def _plan(part: str) -> str:
    return f"{part}.plan.jsonl"


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


def _load(folder: str) -> _Read:
    quarantined = read_lines(os.path.join(folder, outcome.QUARANTINE))
    with tf.io.gfile.GFile(os.path.join(folder, _ABOUT)) as file:
        about = json.loads(file.read())
    return _Read(
        folder,
        [inspected_from(fields) for fields in read_lines(os.path.join(folder, _INSPECTED))],
        [Quarantined(**fields) for fields in quarantined],
        **about,
    )


def _check_share(span: Span, read: _Read, config: DataConfig, uri: str) -> None:
    """Refuses a span of which too much is unusable; others would hide it in a window."""
    total, share = len(read.inspected) + len(read.quarantined), config.max_quarantined_share
    kept = outcome.kept_list(uri)
    if len(read.quarantined) > count_allowed(share, total):
        outcome.write_quarantine(kept, read.quarantined)
    outcome.check_quarantine(read.quarantined, total, share, kept)


def _put_in_place(read: _Read, span: Span, uri: str) -> None:
    for name in span_store.files_in(read.folder):
        if name.startswith("Split-"):
            split, file = name.split("/")
            target = file.replace("data_tfrecord-", f"data_tfrecord-span-{span.name}-", 1)
            span_store.place(f"{read.folder}/{name}", os.path.join(uri, split, target))
