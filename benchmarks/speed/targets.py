"""The figures to reach, and whether they were.

A new target is an entry of `TARGETS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.speed.figures import Figure, Runs, peak, wall
from benchmarks.speed.runs import Run

Kind = tuple[str, int, int | None]


@dataclass(frozen=True)
class Target:
    """A figure with a limit.

    Attributes:
        title: What it is.
        limit: What is reached.
        most: Whether the limit is the largest value that counts as reached, not
            the smallest.
        kinds: The runs that it is made of: contender, size, epochs; None means the
            fewest epochs that were run.
        combine: From one run of each kind to its value.
        unit: Of value and limit.
    """

    title: str
    limit: float
    most: bool
    kinds: tuple[Kind, ...]
    combine: Callable[..., float]
    unit: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a target; `figure` is None where it was not run."""

    target: Target
    figure: Figure | None

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps the limit; None where it was not run."""
        if self.figure is None:
            return None
        value, limit = self.figure.median, self.target.limit
        return value <= limit if self.target.most else value >= limit

    @property
    def word(self) -> str:
        """Says so."""
        return {None: "not run", True: "reached", False: "not reached"}[self.reached]


def check(runs: Runs) -> list[Outcome]:
    """Compares runs with every target."""
    return [Outcome(one, runs.together(one.kinds, one.combine)) for one in TARGETS]


def _ratio(one: Run, other: Run) -> float:
    return wall(one) / wall(other)


def _difference(one: Run, other: Run) -> float:
    return wall(one) - wall(other)


def _beyond_fixed(new: Run, fixed: Run, cold: Run) -> float:
    return (wall(new) - wall(fixed)) / wall(cold)


def _left(run: Run) -> float:
    return run.left_bytes / run.input_bytes


def _growth(large: Run, small: Run) -> float:
    return peak(large) / peak(small)


def _cold(size: int, epochs: int | None = None) -> Kind:
    return ("graft-cold", size, epochs)


def _floor(size: int) -> Kind:
    return ("floor", size, 0)


_K1, _K5, _K20 = 1000, 5000, 20000
_BEYOND = (("graft-new", _K20, None), ("graft-fixed", 0, None), _cold(_K20))
_AT_MOST, _AT_LEAST = True, False
TARGETS = (
    Target(
        "graft cold ÷ floor, 20k, 5 epochs", 1.3, _AT_MOST, (_cold(_K20, 5), _floor(_K20)), _ratio
    ),
    Target(
        "graft cold ÷ floor, 20k, 40 epochs", 1.3, _AT_MOST, (_cold(_K20, 40), _floor(_K20)), _ratio
    ),
    Target("graft cold − floor, 1k", 45, _AT_MOST, (_cold(_K1), _floor(_K1)), _difference, "s"),
    Target(
        "stock TFX ÷ graft, 1k, 5 epochs", 3, _AT_LEAST, (("stock", _K1, 5), _cold(_K1, 5)), _ratio
    ),
    Target(
        "stock TFX ÷ graft, 1k, 40 epochs",
        12,
        _AT_LEAST,
        (("stock", _K1, 40), _cold(_K1, 40)),
        _ratio,
    ),
    Target(
        "keras script ÷ graft, 5k, 40 epochs",
        5,
        _AT_LEAST,
        (("keras", _K5, 40), _cold(_K5, 40)),
        _ratio,
    ),
    Target(
        "warm with another head ÷ cold, 5k",
        0.25,
        _AT_MOST,
        (("graft-warm", _K5, None), _cold(_K5)),
        _ratio,
    ),
    Target("(1 % new data − fixed costs) ÷ cold, 20k", 0.1, _AT_MOST, _BEYOND, _beyond_fixed),
    Target("bytes left on disk ÷ input bytes, 20k", 0.6, _AT_MOST, (_cold(_K20),), _left),
    Target("peak memory, 20k ÷ 1k", 1.1, _AT_MOST, (_cold(_K20), _cold(_K1)), _growth),
    Target("peak memory, 20k", 3000, _AT_MOST, (_cold(_K20),), peak, "MB"),
    Target("`graft --help`", 0.5, _AT_MOST, (("graft-help", 0, 0),), wall, "s"),
    Target("config error", 0.5, _AT_MOST, (("graft-config-error", 0, 0),), wall, "s"),
)
