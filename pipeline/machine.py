"""Facts about this machine that decide what can be installed and run.

Set-up reads them before anything is installed, so this file imports only the
standard library and runs on Python 3.8. A new fact is a new function here; what
follows from it belongs in stacks.py (set-up) or doctor.py (advice).
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROBE_SOURCE = "#include <Python.h>\n#include <string>\n"


@dataclass(frozen=True)
class Machine:
    """What no command of ours can change.

    Attributes:
        system: Operating system as `platform.system()` names it, such as "Linux".
        processor: Architecture as `platform.machine()` names it, such as "x86_64".
        glibc: Version of the C library, or None where it is another one (musl).
        distribution: Ids of the distribution and its parents, such as ("ubuntu", "debian").
    """

    system: str
    processor: str
    glibc: tuple[int, int] | None
    distribution: tuple[str, ...] = ()


def read_machine() -> Machine:
    """Returns the facts of the machine that runs this."""
    return Machine(platform.system(), platform.machine(), read_glibc(), read_distribution())


def read_glibc() -> tuple[int, int] | None:
    """Returns glibc's (major, minor) version, None where there is no glibc."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        return None
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else None


def read_distribution(path: Path = Path("/etc/os-release")) -> tuple[str, ...]:
    """Returns ID and ID_LIKE of an os-release file; nothing where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return tuple(f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split())


def find_compiler() -> str | None:
    """Returns the path of the C++ compiler: $CXX, c++ or g++; None without one."""
    names = [os.environ.get("CXX", ""), "c++", "g++"]
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def compile_error(compiler: str, include: str) -> str:
    """Tries to compile a C++ file that includes Python.h, as pyfarmhash needs.

    Args:
        compiler: Path of a C++ compiler.
        include: Folder of the interpreter's headers.

    Returns:
        The compiler's first line of complaint, empty when it is content.
    """
    command = [compiler, "-fsyntax-only", "-x", "c++", "-I", include, "-"]
    try:
        done = subprocess.run(
            command, input=PROBE_SOURCE, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]


def install_command(distribution: tuple[str, ...], package: str, python: str = "3") -> str:
    """Names the command that installs a system package on a distribution.

    Args:
        distribution: Ids as in `Machine.distribution`.
        package: "compiler", "headers" or "venv".
        python: Version that headers and venv are for, such as "3.13".

    Returns:
        A command for the distribution's package manager; Debian's where it is unknown.
    """
    fedora = {"compiler": "gcc-c++", "headers": f"python{python}-devel", "venv": f"python{python}"}
    debian = {
        "compiler": "g++",
        "headers": f"python{python}-dev",
        "venv": f"python{python}-venv",
    }
    if {"fedora", "rhel", "centos"} & set(distribution):
        return f"sudo dnf install {fedora[package]}"
    return f"sudo apt-get install {debian[package]}"


def read_available_memory(
    meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Returns the bytes that a new process can take, None where nothing tells.

    A container's limit counts too: the kernel's figure is the whole machine's.
    """
    try:
        found = re.search(r"MemAvailable:\s*(\d+) kB", meminfo.read_text(encoding="utf-8"))
    except OSError:
        return None
    if found is None:
        return None
    available = int(found.group(1)) * 1024
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="utf-8"))
        used = int((cgroup / "memory.current").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return available
    return min(available, limit - used)
