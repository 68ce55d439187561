"""A folder for what libraries write for the moment, one to a run.

TensorFlow, Beam and we ourselves write to the system's temporary folder and clean
up at the end, which a killed run does not come to. So each run has a folder there,
named after it, and the next run in the same working folder removes it.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_VARIABLE = "TMPDIR"
_PREFIX = "graft-"


@contextlib.contextmanager
def scratch(run_id: str) -> Iterator[None]:
    """Gives this process and those that it starts a temporary folder of their own.

    Args:
        run_id: Names the folder.
    """
    before = tempfile.tempdir, os.environ.get(_VARIABLE)
    place = place_of(run_id)
    place.mkdir(mode=0o700, exist_ok=True)
    os.environ[_VARIABLE] = tempfile.tempdir = str(place)
    try:
        yield
    finally:
        tempfile.tempdir = before[0]
        if before[1] is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before[1]
        shutil.rmtree(place, ignore_errors=True)


def clear_scratch(places: Iterable[str]) -> None:
    """Removes the folders of runs that are over, where they are still there.

    Args:
        places: From `place_of`; something else is left alone.
    """
    for place in map(Path, places):
        if place.is_absolute() and place.name.startswith(_PREFIX):
            shutil.rmtree(place, ignore_errors=True)


def place_of(run_id: str) -> Path:
    """Where the folder of a run is that begins now."""
    return Path(tempfile.gettempdir()) / f"{_PREFIX}{run_id}"
