"""Makes the locks from their input files: `make locks`.

Pins of an existing lock stay unless its input changed; `make locks UPGRADE=1`
moves all of them to the newest versions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.stacks import STACKS, CannotSetUpError, Stack
from requirements.uv import find_uv

HERE = Path(__file__).parent


def compile_command(stack: Stack, upgrade: bool) -> list[str]:
    """Builds uv's arguments for one lock.

    Args:
        stack: Whose lock; one with several Pythons gets a lock with markers.
        upgrade: Whether to move the pins that are already there.

    Returns:
        Arguments without uv itself, for the folder requirements/. The header
        names `make locks`, so that no index or path of a machine ends up in it.
    """
    oldest = min(stack.pythons, key=lambda version: int(version.split(".")[1]))
    glibc = "_".join(map(str, stack.min_glibc))
    several = len(stack.pythons) > 1
    target = ["--universal"] if several else ["--python-platform", f"x86_64-manylinux_{glibc}"]
    return [
        *("pip", "compile", "--quiet", f"{stack.name}.in", "--override", "overrides.txt"),
        *("--python-version", oldest, *target, "--generate-hashes"),
        *(
            "--custom-compile-command",
            "make locks",
        ),
        *("--output-file", f"{stack.name}.lock", *(["--upgrade"] if upgrade else [])),
    ]


def main() -> int:
    """Writes every stack's lock; returns the exit code."""
    upgrade = bool(os.environ.get("UPGRADE"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            uv, environ = find_uv(Path(folder))
            for stack in STACKS:
                sys.stdout.write(f"{stack.name}.lock\n")
                sys.stdout.flush()
                subprocess.run(
                    [uv, *compile_command(stack, upgrade)], cwd=HERE, env=environ, check=True
                )
    except CannotSetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
