"""Beam on Apache Flink."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.engines.engine import Places
from pipeline.engines.portable import PortableEngine


class FlinkEngine(PortableEngine):
    """Runs jobs on a Flink cluster; how often work is done again is the cluster's setting."""

    kind: Literal["flink"]
    parallelism: int = Field(1, gt=0, description="workers at a time; slots that a job takes")

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See Engine."""
        return (
            *self._beam_args(base, "FlinkRunner", "flink", "flink_master=[local]"),
            f"--parallelism={self.parallelism}",
            *self.options,
        )

    def check(self, base: Path, places: Places) -> None:
        """See Engine."""
        driver = "org.apache.beam.runners.flink.FlinkJobServerDriver"
        self._check(base, "Flink", "flink_master", driver)
