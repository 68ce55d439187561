"""Runs ingest: two Beam passes around one plan; the rules are in the siblings.

The first pass looks at every picture and keeps a line of text of each; then
splits and files are planned; the second pass writes each file by itself. No
picture ever goes through a shuffle, and a worker holds a few at a time.
"""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.example_gen import label_checks, outcome, workers
from components.example_gen.artifact import finish_examples
from components.example_gen.config import SPLIT_NAMES, DataConfig
from components.example_gen.inspect import Inspected, inspect_rows
from components.example_gen.rows import Quarantined, Row, read_lines, write_lines
from components.example_gen.shards import pictures_from, plan_shards, write_shard
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.registry import read_table
from components.example_gen.splits import assign_splits, members_of, planned_splits

_CHUNK_ROWS = 256


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads the configured source into an Examples artifact."""

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
            exec_properties: See `RowExampleGen`.

        Raises:
            ConfigError: If the source cannot have the configured columns.
            DataError: If the data cannot be trained on.
            QuarantineError: If more than the tolerated share is unusable; the
                list is then kept outside the artifact, which TFX deletes.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict["examples"])
        config = DataConfig.model_validate_json(exec_properties["config"])
        columns = Columns.model_validate_json(exec_properties["columns"])
        work = os.path.join(artifact.uri, ".work")
        tf.io.gfile.makedirs(work)

        table = read_table(config, columns)
        ratio = config.splits.model_dump()
        planned = planned_splits({row.split for row in table.rows}, ratio)
        label_checks.check_expected(planned, exec_properties.get("expected"))
        inspected, unusable = self._inspect(table.rows, columns, work)
        quarantined = [*table.quarantined, *unusable]
        total = len(inspected) + len(quarantined)
        logging.info("%d of %d examples are usable", len(inspected), total)
        share = config.max_quarantined_share
        outcome.judge(inspected, quarantined, columns, share, artifact.uri)

        members = members_of(inspected, columns.label)
        splits = assign_splits(members, ratio, config.splits.stratify)
        label_checks.check_splits(inspected, splits, columns.label, planned)
        self._write(plan_shards(inspected, splits, config.shard_examples), columns, artifact.uri)
        tf.io.gfile.rmtree(work)

        summary = outcome.summarise(inspected, splits, quarantined, columns, table.notes)
        names = [name for name in SPLIT_NAMES if name in summary["examples"]]
        finish_examples(artifact, names, quarantined, summary)

    def _inspect(
        self, rows: list[Row], columns: Columns, work: str
    ) -> tuple[list[Inspected], list[Quarantined]]:
        """First pass: looks at every picture."""
        chunks = []
        for start in range(0, len(rows), _CHUNK_ROWS):
            chunks.append(os.path.join(work, f"rows-{start:09d}.jsonl"))
            write_lines(chunks[-1], rows[start : start + _CHUNK_ROWS])
        pipeline = self._make_beam_pipeline()
        workers.run_each(pipeline, _InspectChunk(columns, len(rows)), chunks)
        inspected: list[Inspected] = []
        quarantined: list[Quarantined] = []
        found = itertools.chain.from_iterable(read_lines(_found_path(chunk)) for chunk in chunks)
        for row, fields in zip(rows, found, strict=True):
            if "pictures" in fields:
                inspected.append(Inspected(row, pictures_from(fields["pictures"])))
            else:
                quarantined.append(Quarantined(**fields))
        return inspected, quarantined

    def _write(self, plan: dict[str, list[Inspected]], columns: Columns, uri: str) -> None:
        """Second pass: writes every file of examples."""
        shards = []
        for name, examples in plan.items():
            plan_path = os.path.join(uri, ".work", f"plan-{name.replace('/', '-')}.jsonl")
            write_lines(plan_path, examples)
            shards.append((plan_path, os.path.join(uri, name)))
        total = sum(map(len, plan.values()))
        workers.run_each(self._make_beam_pipeline(), _WriteShard(columns, total), shards)


class _InspectChunk(beam.DoFn):
    """Looks at the rows that one file lists."""

    def __init__(self, columns: Columns, total: int) -> None:
        self._columns = columns
        self._total = total

    def process(self, path: str) -> Iterator[None]:
        rows = [Row(**fields) for fields in read_lines(path)]
        found = inspect_rows(rows, self._columns, workers.threads())
        # Who gave the rows out has them still.
        kept = [{"pictures": x.pictures} if isinstance(x, Inspected) else x for x in found]
        write_lines(_found_path(path), kept)
        workers.report(os.path.dirname(path), len(rows), self._total, "examples checked")
        yield from ()


class _WriteShard(beam.DoFn):
    """Writes one file of examples."""

    def __init__(self, columns: Columns, total: int) -> None:
        self._columns = columns
        self._total = total

    def process(self, shard: tuple[str, str]) -> Iterator[None]:
        plan, path = shard
        count = write_shard(plan, path, self._columns, workers.threads())
        workers.report(os.path.dirname(plan), count, self._total, "examples written")
        yield from ()


def _found_path(chunk: str) -> str:
    return chunk.replace("rows-", "found-")
