"""Where the Pythons of this machine are: PATH, pyenv's versions, then uv's.

pyenv's shims answer "command not found" unless their version is activated, so
its versions are looked up in its own folder instead. A new place to look is a new
line in `candidate_paths`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.stacks import STACKS, Interpreter

VERSIONS = tuple(version for stack in STACKS for version in stack.pythons)

# Runs in the candidate. The free-threaded build and PyPy have no wheels of TFX.
PROBE = """
import json, os, platform, sys, sysconfig
include = sysconfig.get_paths()["include"]
print(json.dumps({
    "path": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "version": "%d.%d" % sys.version_info[:2],
    "usable": platform.python_implementation() == "CPython" and sys.maxsize > 2**32
              and not sysconfig.get_config_var("Py_GIL_DISABLED"),
    "include": include,
    "has_headers": os.path.exists(os.path.join(include, "Python.h")),
}))
"""


def find_interpreters(environ: Mapping[str, str] = os.environ) -> tuple[Interpreter, ...]:
    """Finds every usable Python of a version that some stack wants.

    Args:
        environ: GRAFT_PYTHON, where set, is the only candidate; PATH, PYENV_ROOT
            and HOME say where to look otherwise.

    Returns:
        Each interpreter of such a version once, in the order of `candidate_paths`.
    """
    found: dict[str, Interpreter] = {}
    for path in candidate_paths(environ):
        interpreter = probe(path)
        if interpreter is not None:
            found.setdefault(interpreter.path, interpreter)
    return tuple(each for each in found.values() if each.version in VERSIONS)


def candidate_paths(environ: Mapping[str, str]) -> list[str]:
    """Lists the files that may be a Python, without starting them."""
    if environ.get("GRAFT_PYTHON"):
        name = environ["GRAFT_PYTHON"]
        return [shutil.which(name, path=environ.get("PATH")) or name]
    names = [f"python{version}" for version in VERSIONS] + ["python3", "python"]
    pyenv = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "/")) / ".pyenv")
    folders = environ.get("PATH", "").split(os.pathsep) + ["/usr/local/bin", "/usr/bin"]
    on_path = [
        os.path.join(folder, name)
        for name in names
        for folder in folders
        if folder and Path(folder) != pyenv / "shims"
    ]
    in_pyenv = [
        str(path)
        for version in VERSIONS
        for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    ]
    paths = [*on_path, *in_pyenv, sys.executable]
    return [path for path in dict.fromkeys(paths) if os.access(path, os.X_OK)]


def probe(path: str) -> Interpreter | None:
    """Asks a Python what it is, behind shims and environments.

    Returns:
        The interpreter, or None when it does not answer or has no wheels of TFX.
    """
    try:
        done = subprocess.run(
            [path, "-c", PROBE], capture_output=True, text=True, timeout=30, check=True
        )
        facts = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if not facts.pop("usable"):
        return None
    return Interpreter(**facts)
