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
import tempfile
from pathlib import Path

from pipeline.stacks import CannotSetUpError
from requirements.uv import find_uv

HERE = Path(__file__).parent
TARGET = HERE.parent / ".tfjs"
LOCK = "tfjs.lock"
PACKAGES = ("node/package.json", "node/package-lock.json")
# In the target: what it was made from.
STAMP = "made-from"
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def main() -> int:
    """Fetches both; returns the exit code."""
    if is_current():
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="graft-tfjs-") as folder:
            fetch(Path(folder))
    except CannotSetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except subprocess.CalledProcessError:
        sys.stderr.write("TensorFlow.js could not be fetched; the reason is above.\n")
        return 1
    sys.stdout.write(f"TensorFlow.js is in {TARGET.relative_to(HERE.parent)}\n")
    return 0


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
    uv, environ = find_uv(folder)
    staged = TARGET.with_name(f".{folder.name}")
    try:
        command = install_command(staged / "python")
        subprocess.run([uv, *command], cwd=HERE, env=environ, check=True)
        for name in PACKAGES:
            shutil.copy(HERE / name, staged)
        subprocess.run(NPM, cwd=staged, check=True)
        (staged / STAMP).write_text(digest_locks(), encoding="utf-8")
        shutil.rmtree(TARGET, ignore_errors=True)
        staged.rename(TARGET)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def install_command(folder: Path) -> tuple[str, ...]:
    """Builds uv's arguments: the one pinned package, into a folder."""
    return (
        *("pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--python", sys.executable, "--target", str(folder), "-r", LOCK),
    )


if __name__ == "__main__":
    sys.exit(main())
