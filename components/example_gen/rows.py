"""What passes between the steps of ingest: rows, and those set aside.

Rows travel between Beam passes as lines of JSON, so that a pass is given a file
name and not the data.
"""

import dataclasses
import fractions
import json
import uuid
from collections.abc import Iterable, Iterator

import tensorflow as tf


class UnusableError(Exception):
    """The example is to be quarantined; the message is the reason."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One example as its source names it; nothing is read yet.

    Attributes:
        source: What the user knows the example by: a path relative to the
            source's folder, or `table.csv:row`.
        values: What each feature has: of a picture the full path, of anything
            else its text; empty where it is missing.
        label: As labels.py describes it.
        split: train, eval or test where the source says so, else None.
        group: Rows with the same group stay in one split; None for no group.
        carried: Text of each further column that examples keep.
    """

    source: str
    values: dict[str, str]
    label: str
    split: str | None = None
    group: str | None = None
    carried: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Quarantined:
    """An example that is set aside, and why."""

    source: str
    reason: str
    split: str | None = None
    label: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """Everything that a source has to say.

    Attributes:
        rows: The candidates, in the source's order.
        quarantined: What can be set aside without reading a picture.
        notes: Sentences for the summary, such as how many files are no pictures.
    """

    rows: list[Row]
    quarantined: list[Quarantined]
    notes: list[str]

    def add(self, one: Row | Quarantined) -> None:
        """Adds a row where it belongs."""
        if isinstance(one, Row):
            self.rows.append(one)
        else:
            self.quarantined.append(one)


def count_allowed(share: float, rows: int) -> int:
    """Says how many of some rows a share of them is at most.

    Args:
        share: 0 to 1. It counts as it is written: binary fractions would make
            28 of 0.29 of 100.
        rows: How many there are.
    """
    return int(fractions.Fraction(str(share)) * rows)


def partial_path(path: str) -> str:
    """Names what is written before it gets its name, anew for each attempt.

    Where a worker was lost, another does its work again, and the first may go
    on for a while.
    """
    return f"{path}.{uuid.uuid4().hex}.partial"


def write_lines(path: str, records: Iterable[object]) -> None:
    """Writes dataclass records as JSON, one a line, whole or not at all."""
    partial = partial_path(path)
    with tf.io.gfile.GFile(partial, "w") as file:
        # A GFile that nothing is written to makes no file.
        file.write("")
        for record in records:
            # Five times as fast as `dataclasses.asdict`, which copies all values.
            file.write(json.dumps(record, ensure_ascii=False, default=vars) + "\n")
    tf.io.gfile.rename(partial, path, overwrite=True)


def read_lines(path: str) -> Iterator[dict]:
    """Reads what `write_lines` wrote, as dicts."""
    with tf.io.gfile.GFile(path, "r") as file:
        for line in file:
            yield json.loads(line)
