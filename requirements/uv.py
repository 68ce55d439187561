"""uv, which resolves and installs: found on PATH, or fetched for one use.

uv does not read pip's configuration, where many machines say how their index
is reached, so what pip is told is handed on to it here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.machine import install_command, read_distribution
from pipeline.stacks import CannotSetUpError

UV = "uv==0.13.8"

# pip's setting -> uv's variable.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}


def is_recent(version: str) -> bool:
    """Whether `uv --version` said one that has every option used here: 0.8 or newer."""
    found = re.match(r"uv (\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= (0, 8)


def find_uv(folder: Path) -> tuple[str, dict[str, str]]:
    """Finds uv on PATH, or installs it into a throw-away environment.

    Args:
        folder: Empty folder for that environment; the caller removes it.

    Returns:
        Path of uv, and the environment to run it in.

    Raises:
        CannotSetUpError: If it is not there and cannot be installed.
    """
    on_path = shutil.which("uv")
    if on_path and is_recent(_run([on_path, "--version"]).stdout):
        return on_path, dict(os.environ)
    pip = [sys.executable, "-m", "pip"]
    if _run([sys.executable, "-m", "venv", str(folder / "uv")]).returncode == 0:
        pip = [str(folder / "uv/bin/python"), "-m", "pip"]
    elif _run([*pip, "--version"]).returncode != 0:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise CannotSetUpError(
            f"Neither venv nor pip works in {sys.executable}.\n"
            f"  To mend it: {install_command(read_distribution(), 'venv', version)}"
        )
    done = _run([*pip, "install", "--quiet", "--target", str(folder / "site"), UV])
    if done.returncode != 0:
        raise CannotSetUpError(
            "uv, the installer, cannot be fetched from the package index.\n"
            f"  pip says: {(done.stderr.strip().splitlines() or ['nothing'])[-1]}\n"
            "  To mend it: check the network, and PIP_INDEX_URL or pip.conf if you use a mirror"
        )
    settings = _run([*pip, "config", "list"]).stdout.splitlines()
    return str(folder / "site/bin/uv"), uv_environment(settings, os.environ)


def uv_environment(pip_settings: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Hands pip's settings on to uv.

    Args:
        pip_settings: Lines of `pip config list`, such as "global.timeout='60'";
            later lines win, as with pip.
        environ: Environment to extend; what it tells uv already stays.

    Returns:
        The environment for uv. Local folders that do not exist are left out:
        pip skips them, uv refuses to start.
    """
    found: dict[str, str] = {}
    for line in pip_settings:
        key, _, value = line.partition("=")
        name = SETTINGS.get(key.rpartition(".")[2])
        values = [each for each in value.strip().strip("'\"").split() if _reachable(each)]
        if name and values:
            found[name] = " ".join(values)
    return {**found, **environ}


def _reachable(value: str) -> bool:
    """Tells whether a setting is anything but a path that does not exist."""
    return not value.startswith("/") or os.path.exists(value)


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs a command and keeps what it says."""
    return subprocess.run(command, capture_output=True, text=True, check=False)
