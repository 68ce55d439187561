"""The note in .venv that says what it was made from, so that set-up need not look twice.

It is removed before .venv is touched and written when everything is in place:
no note means an interrupted set-up, which starts over.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.machine import Machine

NAME = "graft-setup.json"


def describe(
    root: Path, stack: str, machine: Machine, environ: Mapping[str, str]
) -> dict[str, object]:
    """Collects everything that, when it changes, makes .venv out of date.

    Args:
        root: The checkout; an editable install is bound to its path.
        stack: Name of the installed stack.
        machine: Another glibc needs another stack, as in a container on the same folder.
        environ: Where the user may ask for an interpreter or a stack.

    Returns:
        JSON-serialisable facts, equal exactly when nothing changed.
    """
    return {
        "root": str(root),
        "stack": stack,
        "lock": _digest(root / "requirements" / f"{stack}.lock"),
        "setup": _digest(root / "setup.py"),
        "glibc": list(machine.glibc or ()),
        "asked": {key: environ.get(key, "") for key in ("GRAFT_PYTHON", "GRAFT_STACK")},
    }


def is_current(root: Path, machine: Machine, environ: Mapping[str, str]) -> bool:
    """Tells whether .venv is complete, its Python is there, and nothing changed since."""
    try:
        noted = json.loads((root / ".venv" / NAME).read_text(encoding="utf-8"))
        python = noted.pop("python")
        expected = describe(root, noted["stack"], machine, environ)
    except (OSError, ValueError, KeyError):
        return False
    return noted == expected and os.path.realpath(root / ".venv/bin/python") == python


def write(root: Path, facts: Mapping[str, object]) -> None:
    """Notes the facts and the interpreter behind .venv, in one step."""
    python = os.path.realpath(root / ".venv/bin/python")
    path = root / ".venv" / NAME
    half = path.with_suffix(".half")
    half.write_text(json.dumps({**facts, "python": python}, indent=1) + "\n", encoding="utf-8")
    half.replace(path)


def remove(root: Path) -> None:
    """Removes the note: from here on .venv counts as incomplete."""
    path = root / ".venv" / NAME
    if path.exists():
        path.unlink()


def _digest(path: Path) -> str:
    """Returns the SHA-256 of a file, empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
