"""Beam on Apache Spark."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.engines.engine import Places
from pipeline.engines.portable import PortableEngine


class SparkEngine(PortableEngine):
    """Runs jobs on a Spark cluster; how often work is done again is Spark's own setting."""

    kind: Literal["spark"]
    parallelism: int = Field(
        1, gt=0, description="parts that work is cut into for several workers to share"
    )

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See Engine."""
        return (
            *self._beam_args(base, "SparkRunner", "spark", "spark_master_url=local[*]"),
            # Spark has no such option; the Embedder reads it.
            f"--parallelism={self.parallelism}",
            *self.options,
        )

    def check(self, base: Path, places: Places) -> None:
        """See Engine."""
        driver = "org.apache.beam.runners.spark.SparkJobServerDriver"
        self._check(base, "Spark", "spark_master", driver)
