"""What Flink and Spark have in common: a job server, and workers beside the cluster."""

import shutil
import zipfile
from pathlib import Path

from pydantic import Field, model_validator

from pipeline.engines.answers import TIMEOUT_SECONDS, check_job_server
from pipeline.engines.engine import Engine, Places
from pipeline.engines.workers import Address, LoopbackWorkers, Workers, resolve
from preprocessing.errors import ConfigError, explain

_SEE = "docs/beam.md"


class PortableEngine(Engine):
    """An engine that takes jobs through one of Beam's job servers."""

    job_endpoint: Address | None = Field(
        None, description="of a job server that is up; it knows its cluster"
    )
    jar: str | None = Field(
        None, description="Beam's job server, started for each component where none is up"
    )
    master: str | None = Field(None, description="with jar: the cluster; null: inside the server")
    workers: Workers = LoopbackWorkers()

    @model_validator(mode="after")
    def _one_server(self) -> "PortableEngine":
        if (self.job_endpoint is None) == (self.jar is None):
            given = [one for one in ("job_endpoint", "jar") if getattr(self, one)]
            what = "needs one of them: a job server that is up, or its jar"
            raise ValueError(explain(what, given, ["job_endpoint", "jar"]))
        if self.master and not self.jar:
            raise ValueError(explain("master is for jar; job_endpoint knows its own", self.master))
        return self

    @property
    def probed(self) -> bool:
        """Whether workers are elsewhere."""
        return self.workers.kind != "loopback"

    def _beam_args(self, base: Path, runner: str, name: str, master: str) -> tuple[str, ...]:
        """Gives the options for the server and the workers.

        Args:
            base: Folder that relative paths start from.
            runner: The one that starts a jar.
            name: What its options begin with.
            master: Name of the option for the cluster, and its value for none.
        """
        if self.job_endpoint:
            server: tuple[str, ...] = (
                "--runner=PortableRunner",
                f"--job_endpoint={self.job_endpoint}",
            )
        else:
            option, _, inside = master.partition("=")
            server = (
                f"--runner={runner}",
                f"--{name}_job_server_jar={resolve(str(self.jar), base)}",
                f"--{option}={self.master or inside}",
            )
        return (*server, *self.workers.beam_args(base))

    def _check(self, base: Path, engine: str, option: str, driver: str) -> None:
        """Looks for the server and the workers.

        Args:
            base: Folder that relative paths start from.
            engine: What people call it.
            option: One that only its job server has.
            driver: Class that its jar must have.
        """
        if self.job_endpoint:
            check_job_server(self.job_endpoint, engine, option.encode(), TIMEOUT_SECONDS)
        else:
            _check_jar(resolve(str(self.jar), base), engine, driver)
        self.workers.check(base, self.job_endpoint)

    def check(self, base: Path, places: Places) -> None:
        """See Engine."""
        raise NotImplementedError


def _check_jar(path: Path, engine: str, driver: str) -> None:
    if shutil.which("java") is None:
        raise ConfigError(explain("beam.jar needs java, which is not on PATH", str(path), see=_SEE))
    try:
        with zipfile.ZipFile(path) as jar:
            names = set(jar.namelist())
            manifest = jar.read("META-INF/MANIFEST.MF").decode(errors="replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        raise ConfigError(explain("beam.jar is no jar that exists", str(path), see=_SEE)) from None
    if driver.replace(".", "/") + ".class" not in names and f"Main-Class: {driver}" not in manifest:
        what = f"beam.jar is not Beam's job server for {engine}"
        raise ConfigError(explain(what, str(path), see=_SEE))
