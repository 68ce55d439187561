"""Beam in several processes of this machine."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.engines.engine import NO_ARCHIVE, Engine


class LocalProcessesEngine(Engine):
    """Runs workers as processes of their own; each imports TensorFlow, for each component."""

    kind: Literal["local_processes"]
    processes: int | None = Field(None, gt=0, description="null: as many as there are cores")

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See Engine."""
        return (
            "--runner=FnApiRunner",
            "--direct_running_mode=multi_processing",
            # By 0 Beam means the cores of where the job runs; a compiled pipeline runs elsewhere.
            f"--direct_num_workers={self.processes or 0}",
            NO_ARCHIVE,
            *self.options,
        )
