"""The stack that this machine does not run, in a Debian 13 of its own.

Every command runs in a mount and process namespace: when it ends, however it
ends, its mounts and processes are gone.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.machine import read_machine
from pipeline.stacks import find_stack, runs_on

ROOT = Path(__file__).parents[2]
OTHER = find_stack("tfx-1.21")
PACKAGES = "python3,python3-venv,python3-dev,g++,make,git,ca-certificates"
MIN_FREE_GIB = 10
CHECKOUT = "root/graft"

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

IN_NAMESPACE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private")
IN_ROOT = """
set -e
mount -t proc proc "$0/proc"
for each in dev sys; do mount --rbind "/$each" "$0/$each"; done
exec chroot "$0" /bin/sh -c "cd /root/graft && $1"
"""


class Debian:
    """A Debian 13 root with a copy of this checkout."""

    def __init__(self, root):
        self.root = root
        self.checkout = root / CHECKOUT

    def run(self, command, timeout_seconds):
        """Runs a shell command in the checkout; returns what it said to standard output."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not re.match(
                r"PATH|PYENV|PYTHON|VIRTUAL_ENV|GRAFT_|UV_CACHE|PYTEST_|MAKE|MFLAGS", name
            )
        }
        done = subprocess.run(
            [*IN_NAMESPACE, "/bin/sh", "-c", IN_ROOT, str(self.root), command],
            env={**kept, "HOME": "/root", "PATH": "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
        assert done.returncode == 0, (
            f"{command} ended with {done.returncode}:\n{done.stdout[-8000:]}"
        )
        return done.stdout


def why_not():
    """Says why no Debian 13 can be made here; empty when it can."""
    machine = read_machine()
    if machine.system != "Linux" or machine.processor != "x86_64":
        return f"needs Linux on x86_64, this is {machine.system} on {machine.processor}"
    if runs_on(OTHER, machine):
        return f"{OTHER.name} is what this machine runs itself, so every other test is its proof"
    if os.geteuid() != 0:
        return "debootstrap and chroot need root"
    for program in ("debootstrap", "unshare", "git"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    tried = subprocess.run([*IN_NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"unshare does not work here: {tried.stderr.strip()}"
    return ""


def read_mirror(folder=Path("/etc/apt")):
    """Returns the Debian mirror that this machine's apt uses, None where it names none."""
    files = [folder / "sources.list", *folder.glob("sources.list.d/*.list")]
    files += folder.glob("sources.list.d/*.sources")
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if path.exists())
    found = re.search(
        r"^(?:deb\s+(?:\[.*?\]\s+)?|URIs:\s*)(\S+/debian/?)(?:\s|$)", text, re.MULTILINE
    )
    return found.group(1) if found else None


def copy_network_settings(root):
    """Gives the root this machine's ways to its registries: names, certificates, pip's files."""
    named = [os.environ.get(name) for name in ("SSL_CERT_FILE", "PIP_CERT", "PIP_CONFIG_FILE")]
    paths = ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"]
    paths += ["/etc/pip.conf", *(path for path in named if path)]
    for path in filter(os.path.isfile, paths):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copy(path, target)
    for name in (".pip/pip.conf", ".config/pip/pip.conf"):
        if (Path.home() / name).is_file():
            (root / "root" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path.home() / name, root / "root" / name)


def copy_checkout(target):
    """Copies what git knows or would add, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    root = tmp_path_factory.mktemp("debian13")
    free_gib = shutil.disk_usage(root).free / 2**30
    if free_gib < MIN_FREE_GIB:
        pytest.skip(f"needs {MIN_FREE_GIB} GiB of disk at {root}, {free_gib:.0f} GiB are free")
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "trixie", str(root)]
    mirror = read_mirror()
    try:
        made = subprocess.run(
            [*IN_NAMESPACE, *command, *([mirror] if mirror else [])],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if made.returncode != 0:
            said = (made.stdout + made.stderr).strip().splitlines() or ["nothing"]
            pytest.skip(f"debootstrap cannot make a Debian 13 here: {said[-1]}")
        copy_network_settings(root)
        copy_checkout(root / CHECKOUT)
        yield Debian(root)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


def test_set_up_installs_the_other_stack_and_doctor_finds_it_well(debian):
    said = debian.run("make setup", 900)

    assert re.search(r"stack tfx-1\.21 on Python 3\.13 \(/usr/bin/python3\.13\)", said), said
    assert debian.run("make setup", 60) == ""
    said = debian.run(".venv/bin/graft doctor --json 2>/dev/null", 600)
    checks = {check["name"]: check for check in json.loads(said)}
    assert [each for each in checks.values() if each["status"] == "fail"] == []
    assert checks["versions"]["found"] == "tfx-1.21, as locked"


def test_the_demo_pushes_a_blessed_model_on_the_other_stack(debian):
    said = debian.run("make demo", 1200)

    summaries = sorted(debian.checkout.glob("graft-demo/**/summary.json"))
    assert len(summaries) == 1, said
    summary = json.loads(summaries[0].read_text(encoding="utf-8"))
    assert summary["metrics"]["test"]["accuracy"] > 0.9
    assert summary["blessed"] is True
    assert summary["pushed"]


def test_the_quick_tests_pass_on_the_other_stack(debian):
    said = debian.run("make test", 2400)

    assert re.search(r"\d+ passed", said)
