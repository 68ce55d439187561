"""Hears from TFX's own log which component runs, and for how long.

LocalDagRunner has no hook for it; its messages have not changed from TFX 1.16
to 1.21, and a test runs the real one.
"""

import logging
import time

from preprocessing import progress

_RUNNING = "Component %s is running."
_FINISHED = "Component %s is finished."
_CACHED = "A cached execution %d is used."


class ComponentEvents(logging.Handler):
    """Turns TFX's messages into progress; a context manager around one run.

    Attributes:
        seconds: How long each component took, in the order in which they ran.
        states: `run`, `cached` or `failed` of each.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}
        self.states: dict[str, str] = {}
        self._current = ""
        self._started = 0.0

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
        self._current, self._started = name, time.monotonic()
        self.states[name] = "run"
        progress.stage(name, "started")

    def end(self) -> None:
        """The current one has ended."""
        name = self._current
        self.seconds[name] = time.monotonic() - self._started
        self._current = ""
        progress.stage(name, self.states[name], self.seconds[name])

    def __enter__(self) -> "ComponentEvents":
        self._logger = logging.getLogger("absl")
        self._logger.addHandler(self)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._logger.removeHandler(self)
        if self._current:
            if error is not None:
                self.states[self._current] = "failed"
            self.end()
