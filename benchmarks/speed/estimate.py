"""How long a run will take: as long as before, or by a rule of thumb.

Only to plan with; the constants are roughly what two cores take.
"""

import statistics
from collections.abc import Iterable

from benchmarks.speed.jobs import Job
from benchmarks.speed.runs import Run

# Seconds a picture of 224 x 224 takes in a MobileNetV2 1.0, and one of 32 x 32 in the demo's.
PASS_SECONDS, DEMO_PASS_SECONDS = 0.009, 0.0005
FLOOR_START_SECONDS = 8.0


def estimate(job: Job, runs: Iterable[Run], pass_seconds: float) -> float:
    """Estimates a run.

    Args:
        job: Which.
        runs: What has been run already.
        pass_seconds: What one picture takes in the floor, unless `runs` tell.

    Returns:
        Seconds.
    """
    runs = [run for run in runs if not run.failure]
    alike = [
        run.usage.wall_s + run.details.get("before_s", 0.0)
        for run in runs
        if (run.job.contender, run.job.size, run.job.epochs)
        == (job.contender, job.size, job.epochs)
    ]
    if alike:
        return statistics.median(alike)
    floors = [run for run in runs if run.job.contender == "floor" and run.job.size]
    if floors:
        one = max(floors, key=lambda run: run.job.size)
        pass_seconds = max(1e-4, (one.usage.wall_s - FLOOR_START_SECONDS) / one.job.size)
    return _guess(job, pass_seconds)


def _guess(job: Job, each: float) -> float:
    size, epochs = job.size, job.epochs
    cold = 45 + size * (1.2 * each + 0.001) + size * epochs * 1e-4
    guesses = {
        "floor": FLOOR_START_SECONDS + size * each,
        "keras": 20 + size * each * (0.9 * epochs + 0.2),
        "stock": 70 + size * (0.1 if each > DEMO_PASS_SECONDS else 0.01) + size * each * epochs,
        "graft-cold": cold,
        "graft-warm": 40 + size * 0.001,
        "graft-new": 45 + size * 0.002,
        "graft-killed": 1.7 * cold,
        "graft-fixed": 50.0,
        "texts-floor": 15 + size * 0.01,
        "texts-graft": 60 + size * 0.02,
    }
    return guesses.get(job.contender, 5.0)
