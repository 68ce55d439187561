"""The installed command, as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


class Result:
    """What one call of `graft` said."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def summary(self):
        return json.loads(self.out)

    @property
    def states(self):
        return {one["name"]: one["state"] for one in self.summary["components"]}


def call(*arguments, cwd, code=None):
    """Runs `graft`; with `code`, the packages below that folder instead of ours."""
    environment = dict(os.environ)
    command = [str(Path(sys.executable).parent / "graft")]
    if code:
        environment["PYTHONPATH"] = str(code)
        start = "import sys; from pipeline.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", start]
    done = subprocess.run(
        [*command, *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True
    )
    return Result(done)


@pytest.fixture(scope="session")
def graft():
    return call
