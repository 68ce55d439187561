"""Where the Python workers of Flink and Spark run, and how they get our packages.

A new way is a record here, and its name in `Workers`.
"""

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal, Union

from pydantic import Field

from pipeline.engines.answers import check_worker_pool
from pipeline.engines.engine import NO_ARCHIVE
from preprocessing.config import Record
from preprocessing.errors import ConfigError, explain

Address = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9.\-]+:[0-9]{1,5}$", examples=["localhost:8099"])
]
# Sets TF_USE_LEGACY_KERAS in workers that Beam's own start-up program begins.
PLUGIN = "--beam_plugin=preprocessing.worker_keras"
# Beam's own images say in their names what is in them.
_OFFICIAL = re.compile(r"(?:^|/)beam_python(\d+\.\d+)_sdk:(\d+\.\d+\.\d+)")


class WorkerKind(Record):
    """What every kind of workers offers."""

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """Gives Beam's options; see Engine."""
        raise NotImplementedError

    def check(self, base: Path) -> None:
        """Looks at what can be seen before there is a job; see Engine."""

    def hint(self) -> str:
        """Says what is wrong as seen from here, if anything; see Engine."""
        return ""


class LoopbackWorkers(WorkerKind):
    """Threads of this process: for a cluster on this machine."""

    kind: Literal["loopback"] = "loopback"

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See WorkerKind."""
        return ("--environment_type=LOOPBACK", NO_ARCHIVE)


class ExternalWorkers(WorkerKind):
    """A pool of workers that is up already, beside each of the cluster's machines.

    `python -m apache_beam.runners.worker.worker_pool_main` is one.
    """

    kind: Literal["external"]
    address: Address = Field(description="of the pool, as the cluster's machines reach it")
    setup_file: str | None = Field(
        None,
        description="setup.py of our packages, for a pool that installs what it is sent; "
        "null: they are installed there",
    )

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See WorkerKind."""
        package = _package(self.setup_file, base)
        return (
            "--environment_type=EXTERNAL",
            f"--environment_config={self.address}",
            *(package or (NO_ARCHIVE,)),
        )

    def check(self, base: Path) -> None:
        """Looks for the setup_file.

        Raises:
            ConfigError: There is none.
        """
        check_setup_file(self.setup_file, base, "beam.workers.setup_file")

    def hint(self) -> str:
        """Asks the pool; from here, localhost is not what it is on the cluster's machines."""
        try:
            check_worker_pool(self.address)
        except ConfigError as error:
            return f"{str(error).splitlines()[0]}: {self.address}"
        return ""


class ContainerWorkers(WorkerKind):
    """Containers that the cluster starts from an image."""

    kind: Literal["container"]
    image: str = Field(min_length=1, examples=["europe-docker.pkg.dev/project/graft/graft:1"])
    setup_file: str | None = Field(
        None, description="setup.py of our packages, for an image without them"
    )

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See WorkerKind."""
        return (
            "--environment_type=DOCKER",
            f"--sdk_container_image={self.image}",
            *_package(self.setup_file, base),
            PLUGIN,
        )

    def check(self, base: Path) -> None:
        """Looks at the image's name.

        Raises:
            ConfigError: It says that something else is inside, or there is no
                such setup_file.
        """
        check_setup_file(self.setup_file, base, "beam.workers.setup_file")
        check_image(self.image, self.setup_file, "beam.workers.image")


Workers = Annotated[
    Union[LoopbackWorkers, ExternalWorkers, ContainerWorkers],  # noqa: UP007
    Field(discriminator="kind"),
]
_SEE = "docs/beam.md"


def _package(setup_file: str | None, base: Path) -> tuple[str, ...]:
    return (f"--setup_file={resolve(setup_file, base)}",) if setup_file else ()


def resolve(path: str, base: Path) -> Path:
    """Gives the absolute path of one that is relative to the config."""
    return base / Path(path).expanduser()


def check_setup_file(setup_file: str | None, base: Path, key: str) -> None:
    """Looks for a setup.py.

    Args:
        setup_file: As in the config.
        base: Folder that relative paths start from.
        key: Its name in the config.

    Raises:
        ConfigError: There is none, or it has another name, which Beam refuses.
    """
    if setup_file is None:
        return
    path = resolve(setup_file, base)
    if path.name != "setup.py" or not path.is_file():
        raise ConfigError(explain(f"{key} must be a setup.py that exists", setup_file, see=_SEE))


def check_image(image: str, setup_file: str | None, key: str) -> None:
    """Compares what the name of one of Beam's own images says with what is here.

    Args:
        image: The image; any other name is taken as it is.
        setup_file: What is installed into it, if anything.
        key: Its name in the config.

    Raises:
        ConfigError: The image has another Python or Beam, or lacks our packages.
    """
    found = _OFFICIAL.search(image)
    if not found:
        return
    python, beam = "{}.{}".format(*sys.version_info), metadata.version("apache-beam")
    if found.groups() != (python, beam):
        what = f"{key}: workers must have the Python and the Beam of this process"
        raise ConfigError(explain(what, image, [f"beam_python{python}_sdk:{beam}"], see=_SEE))
    if setup_file is None:
        what = f"{key}: Beam's own image has none of our packages; give setup_file, or an image"
        raise ConfigError(explain(what, image, see=_SEE))
