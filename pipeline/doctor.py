"""What may be wrong with a machine or its environment, and the command that mends it.

`graft doctor` prints what `run_checks` returns. A new check is a function that
returns a Check, and its line in CHECKS. Doctor must answer when TFX or
TensorFlow is broken or absent: standard library only, and what might crash is
imported in a process of its own.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from pipeline.machine import (
    compile_error,
    find_compiler,
    install_command,
    read_available_memory,
    read_distribution,
    read_machine,
)
from pipeline.stacks import STACKS, Stack, describe, runs_on

ROOT = Path(__file__).resolve().parent.parent
START_OVER = "make clean setup"
GIB = 2**30

# Wants of the biggest run that the README measures; installation alone is 3.1 GB.
MIN_DISK_GIB = 5.0
MIN_MEMORY_GIB = 3.0

# What a run imports first; tensorflow_hub is what breaks most often.
IMPORTS = (
    "import tensorflow_hub, tf_keras, tensorflow_transform, tensorflow_data_validation, "
    "tensorflow_model_analysis, tfx.components, tfx.orchestration.local.local_dag_runner"
)
IMPORT_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Check:
    """What one look at the machine found.

    Attributes:
        name: What was looked at, in a few words.
        status: "ok", "warn" where a run may still work, "fail" where it cannot.
        found: What is there, one line.
        mend: The command that mends it; empty when it is ok.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    mend: str


def run_checks() -> list[Check]:
    """Runs every check; takes about as long as importing TFX.

    Returns:
        One result per line of CHECKS, in that order.
    """
    return [check() for check in CHECKS]


def check_glibc() -> Check:
    """Looks whether the C library is new enough for the installed stack, or for any."""
    machine, stack = read_machine(), installed_stack()
    here = [each for each in STACKS if runs_on(each, machine)]
    fits = [each for each in here if stack in (None, each)]
    mend = START_OVER if here else "docker run -it debian:13"
    return _graded("glibc", bool(fits), f"{describe(machine)}, {_fits(fits)}", mend)


def check_python() -> Check:
    """Looks whether the installed stack, or any that runs here, is made for this Python."""
    version, stack, machine = "{}.{}".format(*sys.version_info), installed_stack(), read_machine()
    candidates = [each for each in STACKS if runs_on(each, machine)] if stack is None else [stack]
    fits = [each for each in candidates if version in each.pythons]
    found = f"{version} ({sys.executable}), {_fits(fits)}"
    return _graded("Python", bool(fits), found, START_OVER)


def check_compiler() -> Check:
    """Looks whether a C++ extension compiles, which set-up needs once, for pyfarmhash."""
    name, compiler = "C++ compiler and Python headers", find_compiler()
    include = sysconfig.get_paths()["include"]
    status: Literal["warn", "fail"] = "warn" if installed("pyfarmhash") else "fail"
    if compiler is None:
        mend = install_command(read_distribution(), "compiler")
        return Check(name, status, "no c++ or g++ on PATH", mend)
    if not os.path.exists(os.path.join(include, "Python.h")):
        version = "{}.{}".format(*sys.version_info)
        mend = install_command(read_distribution(), "headers", version)
        return Check(name, status, f"no {include}/Python.h", mend)
    reason = compile_error(compiler, include)
    if reason:
        return Check(name, status, reason, install_command(read_distribution(), "compiler"))
    return Check(name, "ok", compiler, "")


def check_keras_mode() -> Check:
    """Looks whether TensorFlow will offer Keras 2, the only one that hub layers accept."""
    value = os.environ.get("TF_USE_LEGACY_KERAS")
    version = installed("tf-keras")
    right = value in ("1", "true", "True") and version is not None
    found = f"TF_USE_LEGACY_KERAS={value or 'not set'}, tf-keras {version or 'not installed'}"
    mend = "export TF_USE_LEGACY_KERAS=1" if version else START_OVER
    return _graded("Keras 2", right, found, mend)


def check_hub() -> Check:
    """Looks for the tensorflow-hub that imports on both stacks, against TFX's own pin."""
    version = installed("tensorflow-hub")
    right = version is not None and _numbers(version) >= (0, 16, 1)
    found = f"{version or 'not installed'}{'' if right else ', 0.16.1 or newer is needed'}"
    return _graded("tensorflow-hub", right, found, START_OVER)


def check_setuptools() -> Check:
    """Looks for a setuptools that still has pkg_resources, which tensorflow-hub imports."""
    version = installed("setuptools")
    right = version is not None and _numbers(version) < (81,)
    found = f"{version or 'not installed'}{'' if right else ', one below 81 is needed'}"
    return _graded("setuptools", right, found, START_OVER)


def check_text() -> Check:
    """Looks for a tensorflow-text whose ops are made for the installed TensorFlow."""
    text, tensorflow = installed("tensorflow-text"), installed("tensorflow")
    right = bool(text and tensorflow and _numbers(text)[:2] == _numbers(tensorflow)[:2])
    found = f"{text or 'not installed'}, for TensorFlow {tensorflow or 'that is not installed'}"
    return _graded("tensorflow-text", right, found, START_OVER)


def check_transformers() -> Check:
    """Looks for a transformers that still has TF models and reads safetensors into them.

    4.54 on want torch for that, 5 dropped the models. Only hf: backbones use it.
    """
    version = installed("transformers")
    right = version is not None and (4, 46, 3) <= _numbers(version) < (4, 54)
    found = f"{version or 'not installed'}{'' if right else ', 4.46.3 to 4.53 is needed by hf:'}"
    return Check("transformers", "ok" if right else "warn", found, "" if right else START_OVER)


def check_beam() -> Check:
    """Looks for Beam and the in-process runner that local runs ask for by name.

    Since 2.68 the name DirectRunner may mean Prism, which downloads a program.
    """
    version = installed("apache-beam")
    spec = importlib.util.find_spec("apache_beam")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    runner = "runners/portability/fn_api_runner"
    right = version is not None and any((Path(folder) / runner).is_dir() for folder in folders)
    found = f"{version or 'not installed'}, FnApiRunner {'found' if right else 'missing'}"
    return _graded("Apache Beam", right, found, START_OVER)


def check_versions() -> Check:
    """Compares what is installed with the stack's lock."""
    name, stack = "versions", installed_stack()
    if stack is None:
        return Check(name, "fail", f"tfx {installed('tfx') or 'not installed'}", START_OVER)
    lock = ROOT / "requirements" / f"{stack.name}.lock"
    if not lock.exists():
        return Check(name, "warn", f"{stack.name}, without its lock to compare with", "")
    wrong = differences(lock.read_text(encoding="utf-8"), installed)
    if not wrong:
        return Check(name, "ok", f"{stack.name}, as locked", "")
    more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return Check(name, "warn", f"{stack.name}, but {'; '.join(wrong[:5])}{more}", START_OVER)


def check_tfx_import() -> Check:
    """Imports what a run imports, in a process of its own."""
    name, environ = "TFX import", {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    command = [sys.executable, "-c", IMPORTS]
    try:
        done = subprocess.run(
            command,
            env=environ,
            capture_output=True,
            text=True,
            timeout=IMPORT_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        found = f"not done after {IMPORT_TIMEOUT_SECONDS} s"
        return Check(name, "warn", found, "close other programs and try again")
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    found = f"tfx {installed('tfx')}" if done.returncode == 0 else last
    return _graded(name, done.returncode == 0, found, START_OVER)


def check_disk() -> Check:
    """Looks for room for the environment and for runs, where Graft lives."""
    free = shutil.disk_usage(ROOT).free / GIB
    found = f"{free:.1f} GiB free at {ROOT}"
    enough = free >= MIN_DISK_GIB
    return Check("disk", "ok" if enough else "warn", found, "" if enough else f"df -h {ROOT}")


def check_memory() -> Check:
    """Looks for the memory that a run with a large backbone takes."""
    available = read_available_memory()
    if available is None:
        return Check("memory", "warn", "unknown", "free -h")
    enough = available / GIB >= MIN_MEMORY_GIB
    found = f"{available / GIB:.1f} GiB available"
    return Check("memory", "ok" if enough else "warn", found, "" if enough else "free -h")


CHECKS: tuple[Callable[[], Check], ...] = (
    check_glibc,
    check_python,
    check_compiler,
    check_keras_mode,
    check_hub,
    check_setuptools,
    check_text,
    check_transformers,
    check_beam,
    check_versions,
    check_tfx_import,
    check_disk,
    check_memory,
)


def installed(distribution: str) -> str | None:
    """Returns the installed version of a distribution, None where it is absent.

    pkg_resources adds setuptools' own copies of packages to sys.path; they do not count.
    """
    folders = [folder for folder in sys.path if Path(folder).name != "_vendor"]
    found = metadata.distributions(name=distribution, path=folders)
    return next((each.version for each in found), None)


def installed_stack() -> Stack | None:
    """Returns the stack whose TFX is installed, None with another TFX or none."""
    minor = "tfx-" + ".".join((installed("tfx") or "").split(".")[:2])
    return next((stack for stack in STACKS if stack.name == minor), None)


def differences(lock: str, version_of: Callable[[str], str | None]) -> list[str]:
    """Lists where an environment departs from a lock.

    Args:
        lock: Text of the lock. A name may have several pins, each with a marker;
            one that is not installed may be left out by its marker.
        version_of: Gives a distribution's installed version, None where absent.

    Returns:
        One phrase for each distribution that is missing or has another version.
    """
    pins: dict[str, set[str]] = {}
    optional: set[str] = set()
    for name, version, marker in re.findall(r"^([\w.-]+)==([^\s;]+)(\s*;)?", lock, re.MULTILINE):
        pins.setdefault(name, set()).add(version)
        optional |= {name} if marker else set()
    wrong = []
    for name, versions in pins.items():
        there = version_of(name)
        if there is None and name not in optional:
            wrong.append(f"{name} is missing")
        elif there is not None and there not in versions:
            wrong.append(f"{name} is {there} instead of {' or '.join(sorted(versions))}")
    return wrong


def _graded(name: str, right: bool, found: str, mend: str) -> Check:
    """Builds a check that either is right or stops a run."""
    return Check(name, "ok", found, "") if right else Check(name, "fail", found, mend)


def _fits(stacks: list[Stack]) -> str:
    """Names the stacks that something fits, or the one that it should have fitted."""
    if stacks:
        return f"fits {' and '.join(stack.name for stack in stacks)}"
    wanted = installed_stack()
    return f"does not fit {wanted.name if wanted else 'any stack here'}"


def _numbers(version: str) -> tuple[int, ...]:
    """Reads the leading numbers of a version, such as (0, 16, 1)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
