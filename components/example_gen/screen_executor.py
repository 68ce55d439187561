"""Runs the screening of imported tf.Examples on Beam; the rule is in screen.py.

One pass digests the records of the user's own files, so that each can be named;
the other looks at what was imported, file by file.
"""

import os
from collections.abc import Iterator, Sequence

import apache_beam as beam
import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils

from components.example_gen import label_checks, outcome, workers
from components.example_gen.config import DataConfig
from components.example_gen.ingest_executor import Found, IngestExecutor, Task
from components.example_gen.inspect import Inspected
from components.example_gen.origins import Origins, index_file
from components.example_gen.rows import Quarantined, read_lines
from components.example_gen.screen import Shard, screen_shard
from components.example_gen.shards import inspected_from
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.tfrecord import find_files, patterns, source_of
from preprocessing.errors import DataError, explain


class Executor(IngestExecutor):
    """Screens every split of the imported records."""

    def _ingest(self, task: Task) -> Found:
        config, columns = task.config, task.columns
        imported = artifact_utils.get_single_instance(task.inputs["imported"])
        shards = _plan(imported, task.uri, task.work)
        screen = _ScreenShard(columns, self._index(config, task.work))
        workers.run_each(self._make_beam_pipeline(), screen, shards)
        inspected, quarantined = _read_findings(shards)
        outcome.judge(inspected, quarantined, columns, config.max_quarantined_share, task.uri)

        splits = [str(example.row.split) for example in inspected]
        names = artifact_utils.decode_split_names(imported.split_names)
        # The stock components would stumble over an empty one.
        label_checks.check_splits(inspected, splits, columns.label, names)
        _check_carried(columns, inspected)
        return quarantined, outcome.summarise(inspected, splits, quarantined, columns)

    def _index(self, config: DataConfig, work: str) -> list[tuple[str, str]]:
        """Digests the user's files; returns each one's name and its digests."""
        source = source_of(config)
        base, _ = patterns(source)
        files = [path for some in find_files(source).values() for path in some]
        indexes = [os.path.join(work, f"origin-{number:06d}") for number in range(len(files))]
        workers.run_each(
            self._make_beam_pipeline(),
            _IndexFile(len(files)),
            list(zip(files, indexes, strict=True)),
        )
        names = [path[len(base) :].lstrip("/") for path in files]
        return list(zip(names, indexes, strict=True))


class _IndexFile(beam.DoFn):
    """Digests one of the user's files."""

    def __init__(self, total: int) -> None:
        self._total = total

    def process(self, file: tuple[str, str]) -> Iterator[None]:
        path, index = file
        index_file(path, index)
        workers.report(os.path.dirname(index), 1, self._total, "files indexed")
        yield from ()


class _ScreenShard(beam.DoFn):
    """Screens one file of imported records."""

    def __init__(self, columns: Columns, indexes: Sequence[tuple[str, str]]) -> None:
        self._columns = columns
        self._indexes = indexes

    def setup(self) -> None:
        self._origins = Origins(self._indexes)

    def process(self, shard: Shard) -> Iterator[None]:
        work, total = os.path.dirname(shard.findings), len(self._origins)

        def advance(count: int) -> None:
            workers.report(work, count, total, "examples checked")

        screen_shard(shard, self._columns, self._origins.find, workers.threads(), advance)
        yield from ()


def _plan(imported: types.Artifact, uri: str, work: str) -> list[Shard]:
    shards = []
    for split in artifact_utils.decode_split_names(imported.split_names):
        folder = artifact_utils.get_split_uri([imported], split)
        for source in sorted(tf.io.gfile.glob(os.path.join(folder, "*"))):
            name = os.path.basename(source).removesuffix(".gz")
            target = os.path.join(uri, f"Split-{split}", name)
            shards.append(Shard(split, source, target, os.path.join(work, f"{split}-{name}")))
    return shards


def _read_findings(shards: Sequence[Shard]) -> tuple[list[Inspected], list[Quarantined]]:
    inspected, quarantined = [], []
    for shard in shards:
        for fields in read_lines(shard.findings):
            if "pictures" in fields:
                inspected.append(inspected_from(fields))
            else:
                quarantined.append(Quarantined(**fields))
    return inspected, quarantined


def _check_carried(columns: Columns, inspected: Sequence[Inspected]) -> None:
    for name in columns.carry:
        values = (example.row.carried.get(name, "given") for example in inspected)
        if not any(values):
            what = "evaluate.slices: no example has anything in this column."
            raise DataError(explain(what, name))
