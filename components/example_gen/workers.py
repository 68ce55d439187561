"""How files are given out to Beam's workers, and how they tell what is done."""

import collections
import os
import threading
from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from preprocessing import progress

# The node's name in the pipeline.
STAGE = "ExampleGen"

_LOCK = threading.Lock()
_DONE: collections.Counter = collections.Counter()


def run_each(pipeline: beam.Pipeline, work: beam.DoFn, elements: Sequence[Any]) -> None:
    """Runs `work` on every element, by itself: one is a whole file's worth."""
    with pipeline:
        pipeline | beam.Create(elements) | beam.Reshuffle() | beam.ParDo(work)


def threads() -> int:
    """Returns how many pictures one worker decodes at a time."""
    return max(2, min(8, os.cpu_count() or 2))


def report(work: str, count: int, total: int, unit: str, stage: str = STAGE) -> None:
    """Adds up over this process's files; other workers count their own.

    Args:
        work: Tells runs apart; their working folder.
        count: Units finished since the last report.
        total: Units in all.
        unit: What is counted.
        stage: The node that works.
    """
    with _LOCK:
        _DONE[work, unit] += count
        done = _DONE[work, unit]
    progress.report(stage, done, total, unit)
