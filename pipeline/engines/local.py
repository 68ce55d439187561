"""Beam in this process: the fastest way on one machine."""

from pathlib import Path
from typing import Literal

from pipeline.engines.engine import NO_ARCHIVE, Engine


class LocalEngine(Engine):
    """Runs everything in this process."""

    kind: Literal["local"] = "local"

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See Engine."""
        return ("--runner=FnApiRunner", NO_ARCHIVE, *self.options)
