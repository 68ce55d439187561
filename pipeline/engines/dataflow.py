"""Beam on Google Cloud Dataflow."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.engines.engine import Engine, Places
from pipeline.engines.workers import PLUGIN, check_image, check_setup_file, resolve
from preprocessing.errors import ConfigError, explain

_SEE = "docs/beam.md"
Bucket = Annotated[str, Field(pattern=r"^gs://.+", examples=["gs://bucket/tmp"])]


class DataflowEngine(Engine):
    """Runs jobs on Dataflow; credentials are Google's application default ones."""

    kind: Literal["dataflow"]
    project: str = Field(min_length=1)
    region: str = Field(min_length=1, examples=["europe-west4"])
    temp_location: Bucket
    image: str | None = Field(None, description="of workers, with our packages")
    setup_file: str | None = Field(None, description="setup.py of our packages, in place of image")
    max_workers: int | None = Field(None, gt=0)
    machine_type: str | None = None
    service_account: str | None = None

    @model_validator(mode="after")
    def _has_our_package(self) -> "DataflowEngine":
        if not (self.image or self.setup_file):
            what = "needs one of them, for workers to have our packages"
            raise ValueError(explain(what, "neither", ["image", "setup_file"]))
        return self

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See Engine."""
        given = {
            "sdk_container_image": self.image,
            "setup_file": self.setup_file and str(resolve(self.setup_file, base)),
            "max_num_workers": self.max_workers,
            "machine_type": self.machine_type,
            "service_account_email": self.service_account,
        }
        return (
            "--runner=DataflowRunner",
            f"--project={self.project}",
            f"--region={self.region}",
            f"--temp_location={self.temp_location}",
            *(f"--{name}={value}" for name, value in given.items() if value),
            PLUGIN,
            *self.options,
        )

    def check(self, base: Path, places: Places) -> None:
        """See Engine."""
        check_setup_file(self.setup_file, base, "beam.setup_file")
        if self.image:
            check_image(self.image, self.setup_file, "beam.image")
        for path in (*places.read, *places.work):
            if not path.startswith("gs://"):
                what = "beam.kind: Dataflow's workers reach gs:// alone, and a run needs this path"
                raise ConfigError(explain(what, path, see=_SEE))
