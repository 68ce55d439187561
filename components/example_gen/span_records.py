"""The TFRecord files of a span, in parts: each screened by itself, then dealt out to splits.

Where a worker was lost, another does its part again while the first may go on for a
while; so both write under names of their own, and rename what is whole.
"""

import dataclasses
import os
from collections.abc import Iterator

import apache_beam as beam
import tensorflow as tf

from components.example_gen import workers
from components.example_gen.inspect import Inspected
from components.example_gen.rows import Quarantined, partial_path, read_lines, write_lines
from components.example_gen.screen import Usable
from components.example_gen.shards import inspected_from
from components.example_gen.slices import Slice, read_slice
from components.example_gen.sources.columns import Columns


@dataclasses.dataclass(frozen=True)
class Part:
    """Records that one worker takes at a time.

    Attributes:
        slice: What they are.
        split: The one that they are in, if their source gives one.
        path: File for those that are usable; the names of others begin with it.
    """

    slice: Slice
    split: str | None
    path: str

    @property
    def findings(self) -> str:
        """File of what is known of each record."""
        return f"{self.path}.jsonl"

    @property
    def plan(self) -> str:
        """File of what is known of each usable one, its split included."""
        return f"{self.path}.plan.jsonl"


class ScreenPart(beam.DoFn):
    """Writes the usable examples of a part, and what is known of all."""

    def __init__(self, columns: Columns, total: int) -> None:
        """Takes what is asked of the records, and how many there are of the span."""
        self._columns = columns
        self._total = total

    def process(self, part: Part) -> Iterator[None]:
        """Screens one part."""
        found: list[Inspected | Quarantined] = []
        partial = partial_path(part.path)
        with tf.io.TFRecordWriter(partial) as writer:
            for row in read_slice(part.slice, self._columns, workers.threads()):
                if isinstance(row, Usable):
                    writer.write(row.example)
                    named = dataclasses.replace(row.inspected.row, split=part.split)
                    found.append(dataclasses.replace(row.inspected, row=named))
                else:
                    found.append(dataclasses.replace(row, split=part.split))
        write_lines(part.findings, found)
        tf.io.gfile.rename(partial, part.path, overwrite=True)
        work = os.path.dirname(part.path)
        workers.report(work, part.slice.count, self._total, "examples checked")
        yield from ()


class DealOut(beam.DoFn):
    """Writes the usable examples of a part to files of their splits, mixed by content."""

    def process(self, element: tuple[Part, str, str]) -> Iterator[None]:
        """Deals out one part: to files of a name in a folder."""
        part, folder, name = element
        rows = [inspected_from(fields) for fields in read_lines(part.plan)]
        records = tf.data.TFRecordDataset(part.path).as_numpy_iterator()
        dealt = sorted(zip([one.content for one in rows], records, rows, strict=True), key=_first)
        for split in sorted({str(one.row.split) for one in rows}):
            partial = partial_path(f"{part.path}.{split}")
            with tf.io.TFRecordWriter(partial) as writer:
                for _, record, one in dealt:
                    if one.row.split == split:
                        writer.write(record)
            target = os.path.join(folder, f"Split-{split}")
            tf.io.gfile.makedirs(target)
            tf.io.gfile.rename(partial, os.path.join(target, name), overwrite=True)
        yield from ()


def _first(row: tuple[str, bytes, Inspected]) -> str:
    return row[0]
