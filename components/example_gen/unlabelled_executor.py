"""Writes rows that are only to be predicted; what a slice of them is, slices.py says."""

import os
from collections.abc import Iterator

import apache_beam as beam
import tensorflow as tf

from components.example_gen import outcome, workers
from components.example_gen.config import PredictConfig
from components.example_gen.ingest_executor import Found, IngestExecutor, Task
from components.example_gen.rows import Quarantined, partial_path, read_lines, write_lines
from components.example_gen.screen import Usable
from components.example_gen.slices import Slice, plan_slices, read_slice
from components.example_gen.sources.columns import Columns
from preprocessing.errors import DataError, explain

SPLIT = "predict"
# The node's name in the pipeline.
STAGE = "PredictExampleGen"


class Executor(IngestExecutor):
    """Reads the configured source into one split."""

    CONFIG = PredictConfig

    def _ingest(self, task: Task) -> Found:
        config, columns, work = task.config, task.columns, task.work
        plan = plan_slices(config.source, columns, work, config.shard_examples)
        if not plan.rows:
            raise DataError(explain("predict.source has no rows", str(config.source.path)))
        folder = os.path.join(task.uri, f"Split-{SPLIT}")
        tf.io.gfile.makedirs(folder)
        count = len(plan.slices)
        targets = [
            (one, os.path.join(folder, f"data_tfrecord-{number:05d}-of-{count:05d}"))
            for number, one in enumerate(plan.slices)
        ]
        workers.run_each(self._make_beam_pipeline(), _WriteSlice(columns, work, plan.rows), targets)

        quarantined = [
            Quarantined(**fields)
            for _, target in targets
            for fields in read_lines(_quarantine_path(work, target))
        ]
        share, key = config.max_quarantined_share, "predict.max_quarantined_share"
        outcome.check_quarantine(quarantined, plan.rows, share, task.uri, key)
        examples = {SPLIT: plan.rows - len(quarantined)}
        return quarantined, {"examples": examples, "quarantined": len(quarantined)}


class _WriteSlice(beam.DoFn):
    """Writes one slice's examples, and the list of its unusable rows."""

    def __init__(self, columns: Columns, work: str, total: int) -> None:
        self._columns = columns
        self._work = work
        self._total = total

    def process(self, element: tuple[Slice, str]) -> Iterator[None]:
        one, target = element
        partial = partial_path(os.path.join(self._work, os.path.basename(target)))
        quarantined = []
        with tf.io.TFRecordWriter(partial) as writer:
            for row in read_slice(one, self._columns, workers.threads()):
                if isinstance(row, Usable):
                    writer.write(row.example)
                else:
                    quarantined.append(row)
        write_lines(_quarantine_path(self._work, target), quarantined)
        tf.io.gfile.rename(partial, target, overwrite=True)
        workers.report(self._work, one.count, self._total, "rows read", STAGE)
        yield from ()


def _quarantine_path(work: str, target: str) -> str:
    return os.path.join(work, os.path.basename(target) + ".jsonl")
