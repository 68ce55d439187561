"""What Flink and Spark have in common: a job server, and workers beside the cluster."""

import re
import shutil
import zipfile
from pathlib import Path
from typing import ClassVar, NamedTuple

from pydantic import Field, model_validator

from pipeline.engines.answers import TIMEOUT_SECONDS, check_job_server
from pipeline.engines.engine import Engine, Places
from pipeline.engines.workers import Address, LoopbackWorkers, Workers, resolve
from preprocessing.errors import ConfigError, explain

_SEE = "docs/beam.md"
# An address of this machine, or the master that stands for a cluster inside the server.
_HERE = re.compile(r"(\w+://)?(localhost|127\.[\d.]+)(:|$)|\[(local|auto)\]|local(-cluster)?(\[|$)")


class Server(NamedTuple):
    """One of Beam's job servers.

    Attributes:
        engine: What people call its engine.
        runner: The runner that starts its jar.
        jar_option: Of that runner.
        master_option: Of that runner.
        inside: The master that is inside the server.
        told: An option that only this server describes.
        driver: The jar's main class.
    """

    engine: str
    runner: str
    jar_option: str
    master_option: str
    inside: str
    told: bytes
    driver: str


class PortableEngine(Engine):
    """An engine that takes jobs through one of Beam's job servers."""

    job_endpoint: Address | None = Field(
        None, description="of a job server that is up; it knows its cluster"
    )
    jar: str | None = Field(
        None, description="Beam's job server, started for each component where none is up"
    )
    master: str | None = Field(None, description="with jar: the cluster; null: inside the server")
    parallelism: int = Field(
        1, gt=0, description="workers at a time, for which a job is cut into parts"
    )
    workers: Workers = LoopbackWorkers()

    server: ClassVar[Server]

    @model_validator(mode="after")
    def _one_server(self) -> "PortableEngine":
        if (self.job_endpoint is None) == (self.jar is None):
            given = [one for one in ("job_endpoint", "jar") if getattr(self, one)]
            what = "needs one of them: a job server that is up, or its jar"
            raise ValueError(explain(what, given, ["job_endpoint", "jar"]))
        if self.master and not self.jar:
            raise ValueError(explain("master is for jar; job_endpoint knows its own", self.master))
        where = self.job_endpoint or self.master or self.server.inside
        if self.workers.kind == "loopback" and not _HERE.match(where):
            what = (
                "workers.kind: loopback workers are threads of this process; "
                f"a cluster elsewhere ({where}) has others"
            )
            raise ValueError(explain(what, "loopback", ["external", "container"], _SEE))
        return self

    @property
    def probed(self) -> bool:
        """Whether workers are elsewhere."""
        return self.workers.kind != "loopback"

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """See Engine."""
        server = self.server
        where: tuple[str, ...] = ("--runner=PortableRunner", f"--job_endpoint={self.job_endpoint}")
        if self.jar:
            where = (
                f"--runner={server.runner}",
                f"--{server.jar_option}={resolve(self.jar, base)}",
                f"--{server.master_option}={self.master or server.inside}",
            )
        # Spark's job server has no parallelism; the Embedder reads it of both.
        cut = f"--parallelism={self.parallelism}"
        return (*where, *self.workers.beam_args(base), cut, *self.options)

    def check(self, base: Path, places: Places) -> None:
        """See Engine."""
        if self.job_endpoint:
            server = self.server
            check_job_server(self.job_endpoint, server.engine, server.told, TIMEOUT_SECONDS)
        else:
            _check_jar(resolve(str(self.jar), base), self.server)
        self.workers.check(base)

    def hint(self) -> str:
        """See Engine."""
        return self.workers.hint()


def _check_jar(path: Path, server: Server) -> None:
    if shutil.which("java") is None:
        raise ConfigError(explain("beam.jar needs java, which is not on PATH", str(path), see=_SEE))
    try:
        with zipfile.ZipFile(path) as jar:
            names = set(jar.namelist())
            manifest = jar.read("META-INF/MANIFEST.MF").decode(errors="replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        raise ConfigError(explain("beam.jar is no jar that exists", str(path), see=_SEE)) from None
    main_class = server.driver.replace(".", "/") + ".class"
    if main_class not in names and f"Main-Class: {server.driver}" not in manifest:
        what = f"beam.jar is not Beam's job server for {server.engine}"
        raise ConfigError(explain(what, str(path), see=_SEE))
