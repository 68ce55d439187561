"""What every Beam engine offers; imports neither Beam nor TensorFlow.

A new engine is a module beside this one with a record of this kind, and its
name in `BeamConfig` (pipeline/beam_config.py).
"""

from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from preprocessing.config import Record

# Where TFX finds one of Beam's options for dependencies, it does not pack itself
# into an archive for workers, once for each component; those that are processes
# of this machine have it.
NO_ARCHIVE = "--sdk_container_image=unused"

Option = Annotated[
    str, Field(pattern=r"^--\w+(=.*)?$", examples=["--state_cache_size=100MB"], min_length=3)
]


class Places(NamedTuple):
    """What workers must reach.

    Attributes:
        read: Files, folders or addresses that they read.
        work: Folders or addresses that they read and write.
    """

    read: tuple[str, ...]
    work: tuple[str, ...]


class Engine(Record):
    """What runs the Beam jobs of components and of batch prediction."""

    options: tuple[Option, ...] = Field(
        (), description="further options of Beam's own, behind those that the other keys stand for"
    )

    def beam_args(self, base: Path) -> tuple[str, ...]:
        """Gives Beam's options.

        Args:
            base: Folder that relative paths start from.
        """
        raise NotImplementedError

    def check(self, base: Path, places: Places) -> None:
        """Looks whether the engine can run jobs; a job of its own comes later, see probe.py.

        Args:
            base: Folder that relative paths start from.
            places: What workers must reach.

        Raises:
            ConfigError: It cannot, with what is wrong.
        """

    def hint(self) -> str:
        """Says what is seen of the workers from here, for when a small job has found none.

        The cluster may see them otherwise, so that nothing is refused for it.
        """
        return ""

    @property
    def probed(self) -> bool:
        """Whether a small job must show that workers are as this process is."""
        return False
