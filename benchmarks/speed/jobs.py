"""What is run how often on how much: the rows of the plan.

A new contender is an entry of `CONTENDERS`, and how it is started a function in
start.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Contender:
    """One thing to be measured.

    Attributes:
        name: Family and variant, such as `graft-cold`; options name either.
        title: What tables call it.
        data: What its size counts; `none` where it has no size.
        epochs: Whether it is run with `each` number of epochs, the `first` one
            alone, or has `none`.
        largest: The largest size that it is run on by default, None without limit.
    """

    name: str
    title: str
    data: Literal["pictures", "texts", "none"]
    epochs: Literal["each", "first", "none"]
    largest: int | None = None


# In the order in which they are run: what builds on another comes after it. Stock
# TFX writes 35 times its input and holds gigabytes, and the script takes hours
# where every epoch is a pass, so both end where the others still go on.
CONTENDERS = (
    Contender("graft-help", "`graft --help`", "none", "none"),
    Contender("graft-config-error", "graft, error in the config", "none", "none"),
    Contender("graft-fixed", "graft, cold, 100 pictures", "none", "first"),
    Contender("floor", "floor", "pictures", "none"),
    Contender("graft-cold", "graft, cold", "pictures", "each"),
    Contender("graft-warm", "graft, warm, another head", "pictures", "first"),
    Contender("graft-new", "graft, 1 % new data", "pictures", "first"),
    Contender("graft-killed", "graft, again after kill -9 at half", "pictures", "first"),
    Contender("keras", "keras script", "pictures", "each", 5000),
    Contender("stock", "stock TFX", "pictures", "each", 1000),
    Contender("texts-floor", "floor", "texts", "none"),
    Contender("texts-graft", "graft, cold", "texts", "first"),
)
BY_NAME = {one.name: one for one in CONTENDERS}


@dataclass(frozen=True)
class Job:
    """One run of one contender.

    Attributes:
        contender: Its name.
        size: Pictures or texts; 0 where it has none.
        epochs: 0 where it has none.
        repeat: From 1 on.
    """

    contender: str
    size: int
    epochs: int
    repeat: int

    @property
    def key(self) -> str:
        """Names the job in a file of runs."""
        return f"{self.contender}/{self.size}/{self.epochs}/{self.repeat}"

    @property
    def title(self) -> str:
        """Names it on screen."""
        size = f", {self.size:,}" if self.size else ""
        epochs = f", {self.epochs} epochs" if self.epochs else ""
        return f"{self.contender}{size}{epochs}, repeat {self.repeat}"


@dataclass(frozen=True)
class Plan:
    """What the command line asks for.

    Attributes:
        sizes: Numbers of pictures.
        texts: Numbers of texts; none where no texts are given.
        epochs: Numbers of head epochs.
        repeats: How often everything is run.
        contenders: Families or names; none means all.
        everywhere: Whether contenders run on sizes above their `largest`, too.
    """

    sizes: Sequence[int]
    texts: Sequence[int]
    epochs: Sequence[int]
    repeats: int
    contenders: Sequence[str] = ()
    everywhere: bool = False

    def jobs(self) -> list[Job]:
        """Lists all runs; contenders take turns, so that drift hits all alike."""
        return [
            Job(one.name, size, epochs, repeat)
            for repeat in range(1, self.repeats + 1)
            for size in [0, *sorted({*self.sizes, *self.texts})]
            for one in self._chosen(size)
            for epochs in self._epochs(one)
        ]

    def _chosen(self, size: int) -> Iterator[Contender]:
        sizes = {"none": (0,), "pictures": self.sizes, "texts": self.texts}
        for one in CONTENDERS:
            fits = self.everywhere or one.largest is None or size <= one.largest
            if size in sizes[one.data] and fits and wanted(one.name, self.contenders):
                yield one

    def _epochs(self, one: Contender) -> Sequence[int]:
        return {"each": self.epochs, "first": self.epochs[:1], "none": (0,)}[one.epochs]


def wanted(name: str, chosen: Sequence[str]) -> bool:
    """Tells whether a list of families and names has a contender; an empty one has all."""
    return not chosen or any(name == one or name.startswith(f"{one}-") for one in chosen)


def unknown(chosen: Sequence[str]) -> list[str]:
    """Lists what names no contender and no family."""
    return [one for one in chosen if not any(wanted(name, [one]) for name in BY_NAME)]
