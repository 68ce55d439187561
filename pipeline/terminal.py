"""Keeps the terminal for us while a pipeline runs; everything else goes into a log file.

TensorFlow and Beam write from C++ as well, so file descriptors 1 and 2
themselves are turned. Progress is drawn on the real standard error (see
progress_display.py), so standard output stays clean.
"""

import logging
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

from pipeline.engines.worker_errors import read_worker_error
from pipeline.progress_display import make_handler
from preprocessing.errors import GraftError
from preprocessing.progress import LOGGER


class CrashError(Exception):
    """A defect of ours; its traceback stands in the log."""

    def __init__(self, error: BaseException, log: Path) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.log = log


def graft_error(error: BaseException | None) -> GraftError | None:
    """Finds the error of ours that another, such as Beam's, was raised from or tells of."""
    told = None
    while error is not None and not isinstance(error, GraftError):
        told = told or read_worker_error(str(error))
        error = error.__cause__ or error.__context__
    return error or told


class Session:
    """The terminal while a pipeline runs, as a context manager.

    Leaving it brings everything back, whatever happened. A `GraftError` inside
    comes out unwrapped even where Beam wrapped it, another exception as a
    `CrashError`; both leave their traceback in the log.

    Args:
        log: The log file; its folders are made.
        line_seconds: Without a terminal, a stage reports no more often than this.
    """

    def __init__(self, log: Path, line_seconds: float = 5.0) -> None:
        self.log = log
        self._line_seconds = line_seconds

    def __enter__(self) -> "Session":
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = self.log.open("a", encoding="utf-8", errors="replace", buffering=1)
        _flush()
        self._saved = (os.dup(1), os.dup(2))
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        self._real = os.fdopen(os.dup(2), "w", encoding=encoding, errors="replace", buffering=1)
        for descriptor in (1, 2):
            os.dup2(self._file.fileno(), descriptor)
        self._handler = make_handler(self._real, self._line_seconds)
        self._log_to_file()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        if error is not None:
            self._file.write("".join(traceback.format_exception(kind, error, trace)))
        self._restore()
        ours = graft_error(error)
        if ours is not None:
            if ours is not error:
                raise ours from None
        elif isinstance(error, (Exception, SystemExit)):
            raise CrashError(error, self.log) from None
        return False

    def _log_to_file(self) -> None:
        # absl decides about its own logger when it is first imported, so that
        # has to come before its level is set.
        from absl import logging as absl_logging

        root = logging.getLogger()
        self._before = (list(root.handlers), root.level, LOGGER.level, absl_logging.get_verbosity())
        to_file = logging.StreamHandler(self._file)
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        root.handlers[:] = [to_file]
        root.setLevel(logging.INFO)
        absl_logging.set_verbosity(absl_logging.INFO)
        LOGGER.setLevel(logging.INFO)
        LOGGER.addHandler(self._handler)

    def _restore(self) -> None:
        from absl import logging as absl_logging

        handlers, root_level, progress_level, verbosity = self._before
        LOGGER.removeHandler(self._handler)
        LOGGER.setLevel(progress_level)
        self._handler.close()
        root = logging.getLogger()
        root.handlers[:] = handlers
        absl_logging.set_verbosity(verbosity)
        root.setLevel(root_level)
        _flush()
        for descriptor, saved in zip((1, 2), self._saved, strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)
        self._real.close()
        self._file.close()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # The reader of a pipe may be gone; that is no reason to lose a run.
            continue
