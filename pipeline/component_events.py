"""Hears from TFX's own log which component runs, and for how long.

LocalDagRunner has no hook for it; its messages have not changed from TFX 1.16
to 1.21, and a test runs the real one.
"""

import logging
import resource
import time

from pipeline.peak_memory import PeakMemory
from preprocessing import progress

_RUNNING = "Component %s is running."
_FINISHED = "Component %s is finished."
_CACHED = "A cached execution %d is used."


class ComponentEvents(logging.Handler):
    """Turns TFX's messages into progress; a context manager around one run.

    Attributes:
        seconds: How long each component took, in the order in which they ran.
        cpu_seconds: CPU time of this process and of children that have ended meanwhile.
        states: `run`, `cached` or `failed` of each.
        memory: How much the run takes.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self.states: dict[str, str] = {}
        self.memory = PeakMemory()
        self._current = ""
        self._started = self._cpu_started = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Acts on the three messages that matter."""
        if record.msg == _RUNNING:
            self.begin(str(record.args[0]))  # type: ignore[index]
        elif record.msg == _FINISHED:
            self.end()
        elif record.msg == _CACHED and self._current:
            self.states[self._current] = "cached"

    def begin(self, name: str) -> None:
        """A component, or a stage that is none, has begun."""
        self._current, self._started, self._cpu_started = name, time.monotonic(), _cpu_seconds()
        self.states[name] = "run"
        progress.stage(name, "started")

    def end(self) -> None:
        """The current one has ended."""
        name = self._current
        self.seconds[name] = time.monotonic() - self._started
        self.cpu_seconds[name] = _cpu_seconds() - self._cpu_started
        self._current = ""
        progress.stage(name, self.states[name], self.seconds[name])

    def __enter__(self) -> "ComponentEvents":
        self._logger = logging.getLogger("absl")
        self._logger.addHandler(self)
        self.memory.__enter__()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._logger.removeHandler(self)
        self.memory.__exit__()
        if self._current:
            if error is not None:
                self.states[self._current] = "failed"
            self.end()


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
