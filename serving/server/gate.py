"""Whose turn it is: a bounded number runs, a bounded number waits."""

import contextlib
import threading
import time
from collections.abc import Iterator

from serving.server.limits import Limits
from serving.server.refusal import Code, Refusal, too_late


class Gate:
    """Counts the requests of both protocols together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = threading.Semaphore(limits.parallel)
        self._lock = threading.Lock()
        self._inside = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Lets a request in, before its body is read.

        Raises:
            Refusal: RESOURCE_EXHAUSTED if as many as may wait do so already.
        """
        with self._lock:
            if self._inside >= self._limits.max_requests:
                raise Refusal(
                    Code.RESOURCE_EXHAUSTED,
                    f"The server is busy: {self._limits.parallel} requests run and "
                    f"{self._limits.max_queue} wait; try again later",
                )
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1

    @contextlib.contextmanager
    def turn(self, deadline: float) -> Iterator[None]:
        """Waits until the request may run.

        Args:
            deadline: On `time.monotonic`'s clock.

        Raises:
            Refusal: DEADLINE_EXCEEDED if that comes too late.
        """
        if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise too_late()
        try:
            yield
        finally:
            self._slots.release()
