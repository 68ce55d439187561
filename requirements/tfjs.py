"""Brings what TensorFlow.js exports need into .tfjs/: `make tfjs`.

Their converter, a Python package, and the npm packages that run an export in
Node. Exit codes: 0 both are there, 1 something could not be fetched, 2 this
machine lacks something.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.stacks import CannotSetUpError
from requirements.bring import bring, install

HERE = Path(__file__).parent
TARGET = HERE.parent / ".tfjs"
LOCK = "tfjs.lock"
PACKAGES = ("node/package.json", "node/package-lock.json")
# In the target: what it was made from.
STAMP = "made-from"
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def main() -> int:
    """Fetches both; returns the exit code."""
    place = TARGET.relative_to(HERE.parent)
    return 0 if is_current() else bring("TensorFlow.js", place, fetch)


def is_current() -> bool:
    """Tells whether the target is whole and made from the locks as they are."""
    stamp = TARGET / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == digest_locks()


def digest_locks() -> str:
    """Digests the files that say what is fetched."""
    digest = hashlib.sha256()
    for name in (LOCK, *PACKAGES):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def fetch(folder: Path) -> None:
    """Fetches everything and moves it into place, whole or not at all.

    Args:
        folder: Empty folder for what is needed only now.

    Raises:
        CannotSetUpError: If uv or npm cannot be had.
        subprocess.CalledProcessError: If a package cannot be fetched.
    """
    if not shutil.which("npm"):
        raise CannotSetUpError(
            "npm is not on PATH.\n  To mend it, on Debian or Ubuntu: apt-get install nodejs npm"
        )
    staged = TARGET.with_name(f".{folder.name}")
    try:
        install(HERE / LOCK, staged / "python", folder)
        for name in PACKAGES:
            shutil.copy(HERE / name, staged)
        subprocess.run(NPM, cwd=staged, check=True)
        (staged / STAMP).write_text(digest_locks(), encoding="utf-8")
        shutil.rmtree(TARGET, ignore_errors=True)
        staged.rename(TARGET)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
