"""What the Embedder counts, for embedder.json and the run's summary."""

import collections
import json
import posixpath
from collections.abc import Iterable, Iterator

import tensorflow as tf

COUNTS_FILE = "embedder.json"
NOTES = "notes"

# What is counted, of which feature, in which split or way, and how many.
Count = tuple[str, str, str, int]


class Counts:
    """Numbers by name, which add up.

    `truncated`: texts cut short, by feature and split. `vectors`, by feature:
    `new` ones that a backbone computed, `kept` ones of earlier runs,
    `duplicates` of one that this run had computed, and `recomputed`, those of
    the new ones that had been kept and were damaged.
    """

    def __init__(self) -> None:
        self._counts: collections.Counter[tuple[str, str, str]] = collections.Counter()

    def truncated(self, feature: str, split: str, texts: int) -> None:
        """Counts texts cut short."""
        self._counts["truncated", feature, split] += texts

    def vectors(
        self, feature: str, *, new: int, kept: int, duplicates: int, recomputed: int
    ) -> None:
        """Counts vectors by where they came from."""
        self._counts["vectors", feature, "new"] += new
        self._counts["vectors", feature, "kept"] += kept
        self._counts["vectors", feature, "duplicates"] += duplicates
        self._counts["vectors", feature, "recomputed"] += recomputed

    def note(self, text: str) -> None:
        """Adds what a person should know."""
        self._counts[NOTES, text, ""] += 1

    def __iter__(self) -> Iterator[Count]:
        return ((*name, count) for name, count in self._counts.items())


def write_counts(counts: Iterable[Count], folder: str) -> None:
    """Writes what all workers counted.

    Args:
        counts: What each `Counts` gives.
        folder: Where `embedder.json` goes.
    """
    content: dict[str, dict[str, dict[str, int]]] = {}
    notes: dict[str, None] = {}
    for what, feature, key, count in counts:
        if what == NOTES:
            notes[feature] = None
            continue
        numbers = content.setdefault(what, {}).setdefault(feature, {})
        numbers[key] = numbers.get(key, 0) + count
    result = content | ({NOTES: sorted(notes)} if notes else {})
    with tf.io.gfile.GFile(posixpath.join(folder, COUNTS_FILE), "w") as file:
        file.write(json.dumps(result, sort_keys=True, indent=2) + "\n")
