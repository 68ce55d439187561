"""What both platforms are to the rest of `graft submit`: something that starts and shows runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.kubeflow.submit_file import SubmitSchedule
from pipeline.submit.request import Request
from preprocessing.errors import GraftError, UsageError, explain

State = Literal["waiting", "running", "succeeded", "cached", "failed", "cancelled"]

ENDED: frozenset[State] = frozenset({"succeeded", "cached", "failed", "cancelled"})


class UnreachableError(UsageError):
    """A service does not answer; while waiting for a run, it is asked again."""


class RunFailedError(GraftError):
    """The platform ended a run as anything but succeeded."""


@dataclass(frozen=True)
class Started:
    """A run, or a schedule, that the platform now has.

    Attributes:
        id: By which the platform knows it.
        url: Where a person sees it.
    """

    id: str
    url: str


@dataclass(frozen=True)
class Task:
    """How far one task of a run is.

    Attributes:
        state: Where it stands.
        seconds: How long it took, where it has ended and the platform says so.
        error: What the platform says of its failure; empty without one.
    """

    state: State
    seconds: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        state: Of the run.
        tasks: Of each task that the platform has heard of, by name.
        error: What the platform says of the run's failure; empty without one.
    """

    state: State
    tasks: Mapping[str, Task]
    error: str = ""


class Platform(Protocol):
    """A service that runs compiled pipelines; methods raise UsageError."""

    def start(self) -> Started:
        """Starts a run."""

    def look(self, run: Started) -> Progress:
        """Asks how far a run is."""

    def schedule(self, replace: bool) -> Started:
        """Has the platform start runs by itself.

        Args:
            replace: Whether to put it in the place of one of the same name, which
                otherwise is an error.
        """


def wanted_schedule(request: Request) -> SubmitSchedule:
    """Returns the schedule that the submit file has.

    Raises:
        UsageError: It has none.
    """
    if request.submit.schedule is None:
        what = "The pipeline was compiled without a schedule"
        raise UsageError(explain(what, str(request.spec), (), "deploy.schedule"))
    return request.submit.schedule


def check_not_doubled(name: str, there: Sequence[str], replace: bool) -> None:
    """Raises UsageError where a schedule of this name is there already and is to stay."""
    if there and not replace:
        what = f"A schedule {name} is there already; --replace puts the new one in its place"
        raise UsageError(explain(what, there[0]))
