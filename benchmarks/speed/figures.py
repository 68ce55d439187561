"""Medians and spreads of runs, and ratios of runs that were made in the same repeat."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.speed.runs import Run, finished


@dataclass(frozen=True)
class Figure:
    """Some values of one thing.

    Attributes:
        values: One for each run.
    """

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, the mean of both where there are two."""
        return statistics.median(self.values)

    def text(self, digits: int = 1) -> str:
        """Median (smallest–largest); without the spread where there is one value."""
        middle = f"{self.median:,.{digits}f}"
        if len(self.values) < 2:
            return middle
        return f"{middle} ({min(self.values):,.{digits}f}–{max(self.values):,.{digits}f})"


class Runs:
    """Runs that count, to be asked for figures."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = list(finished(list(runs)).values())

    def kinds(self) -> list[tuple[str, int, int]]:
        """Lists contender, size and epochs of all that has been run, each once."""
        jobs = [run.job for run in self._runs]
        return list(dict.fromkeys((job.contender, job.size, job.epochs) for job in jobs))

    def of(self, contender: str, size: int = 0, epochs: int | None = 0) -> list[Run]:
        """Lists the repeats of one kind; with `epochs` None, those of the fewest epochs."""
        runs = [r for r in self._runs if (r.job.contender, r.job.size) == (contender, size)]
        if epochs is None:
            epochs = min((run.job.epochs for run in runs), default=0)
        return [run for run in runs if run.job.epochs == epochs]

    def figure(
        self, kind: tuple[str, int, int | None], take: Callable[[Run], float | None]
    ) -> Figure | None:
        """Gives a figure of one kind of run; None where it was not run or does not tell."""
        values = [value for run in self.of(*kind) if (value := take(run)) is not None]
        return Figure(tuple(values)) if values else None

    def together(
        self, kinds: Iterable[tuple[str, int, int | None]], combine: Callable[..., float]
    ) -> Figure | None:
        """Combines kinds of runs repeat by repeat, so that drift of the machine cancels.

        Args:
            kinds: Contender, size and epochs of each.
            combine: From one run of each kind to a value.

        Returns:
            One value for each repeat that has all; None where no repeat has.
        """
        repeats = [{run.job.repeat: run for run in self.of(*kind)} for kind in kinds]
        shared = sorted(set.intersection(*map(set, repeats))) if repeats else []
        values = [combine(*(by_repeat[number] for by_repeat in repeats)) for number in shared]
        return Figure(tuple(values)) if values else None


def wall(run: Run) -> float:
    """Seconds from start to end."""
    return run.usage.wall_s


def cpu(run: Run) -> float:
    """CPU seconds of both kinds."""
    return run.usage.cpu_s


def peak(run: Run) -> float:
    """Memory at its highest, MB."""
    return run.usage.peak_mb
