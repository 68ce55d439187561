"""The machine and the software that the figures are of."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.machine import read_available_memory, read_glibc

PACKAGES = ("tensorflow", "tfx", "tensorflow-transform", "apache-beam", "tf-keras", "numpy")
ROOT = Path(__file__).parents[2]


def read_facts() -> dict[str, Any]:
    """Reads what a figure means nothing without."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_free_gb": round((read_available_memory() or 0) / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "glibc": ".".join(map(str, read_glibc() or ())),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
