"""Brings one package of the index into a folder of the checkout, once; for minilm.py, tfjs.py.

Another thing to fetch is a module like those, and a target of the Makefile.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.stacks import CannotSetUpError
from requirements.uv import find_uv


def bring(name: str, place: Path, fetch: Callable[[Path], None]) -> int:
    """Fetches something and says so.

    Args:
        name: What users call it.
        place: Where it will be, seen from the checkout.
        fetch: Brings it there, given an empty folder for what is needed only now.

    Returns:
        The exit code: 0 it is there, 1 it could not be fetched, 2 this machine
        lacks something.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="graft-fetch-") as folder:
            fetch(Path(folder))
    except CannotSetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except subprocess.CalledProcessError:
        sys.stderr.write(f"{name} could not be fetched; the reason is above.\n")
        return 1
    sys.stdout.write(f"{name} is in {place}\n")
    return 0


def install(lock: Path, folder: Path, scratch: Path) -> None:
    """Puts the one package that a lock pins into a folder.

    Args:
        lock: A requirements file with hashes.
        folder: Where the package's modules will be.
        scratch: Empty folder, for an installer where there is none.

    Raises:
        CannotSetUpError: If uv cannot be had.
        subprocess.CalledProcessError: If the package cannot be fetched.
    """
    uv, environ = find_uv(scratch)
    options = ("--quiet", "--no-deps", "--require-hashes", "--python", sys.executable)
    command = (uv, "pip", "install", *options, "--target", str(folder), "-r", str(lock))
    subprocess.run(command, env=environ, check=True)
