"""Runs ingest: two Beam passes around one plan; the rules are in the siblings.

The first pass looks at every picture and keeps a line of text of each; then
splits and files are planned; the second pass writes each file by itself. No
picture ever goes through a shuffle, and a worker holds a few at a time.
"""

import itertools
import os
from collections.abc import Iterator

import apache_beam as beam

from components.example_gen import label_checks, outcome, workers
from components.example_gen.ingest_executor import Found, IngestExecutor, Task
from components.example_gen.inspect import Inspected, inspect_rows
from components.example_gen.rows import Quarantined, Row, read_lines, write_lines
from components.example_gen.shards import pictures_from, plan_shards, write_shard
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.registry import read_table
from components.example_gen.splits import assign_splits, members_of, planned_splits

_CHUNK_ROWS = 256


class Executor(IngestExecutor):
    """Reads the configured source into an Examples artifact."""

    def _ingest(self, task: Task) -> Found:
        config, columns = task.config, task.columns
        table = read_table(config, columns)
        ratio = config.splits.model_dump()
        planned = planned_splits({row.split for row in table.rows}, ratio)
        label_checks.check_expected(planned, task.properties.get("expected"))
        inspected, unusable = self._inspect(table.rows, columns, task.work)
        quarantined = [*table.quarantined, *unusable]
        outcome.judge(inspected, quarantined, columns, config.max_quarantined_share, task.uri)

        members = members_of(inspected, columns.label)
        splits = assign_splits(members, ratio, config.splits.stratify)
        label_checks.check_splits(inspected, splits, columns.label, planned)
        self._write(plan_shards(inspected, splits, config.shard_examples), columns, task.uri)
        return quarantined, outcome.summarise(inspected, splits, quarantined, columns, table.notes)

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
