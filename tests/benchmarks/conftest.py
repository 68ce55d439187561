"""Runs with figures that are easy to reckon with."""

import pytest

from benchmarks.speed.jobs import Job
from benchmarks.speed.measure import Usage
from benchmarks.speed.runs import Run


def make_run(contender, size=0, epochs=0, repeat=1, wall=1.0, **fields):
    usage = Usage(0, wall, wall, 0.5, fields.pop("peak", 1000.0), 2_000_000)
    job = Job(contender, size, epochs, repeat)
    return Run(
        job, usage, fields.pop("inputs", 10_000_000), fields.pop("left", 5_000_000), **fields
    )


@pytest.fixture
def run():
    return make_run
