"""What the wheel holds, which is all that an image and another machine get of Graft."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("pipeline", "serving", "components", "trainer", "preprocessing")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the wheel's content, as an installer without dependencies leaves it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = (
        *(sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder)),
        *("build", "--build-base", str(folder / "build")),
        *("bdist_wheel", "--dist-dir", str(folder / "dist")),
    )
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(installed):
    there = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    ours = {path for path in there if path.parts[0] in PACKAGES}
    assert ours == set(files_of_the_packages())
    assert {path.parts[0].split("-")[0] for path in there - ours} == {"graft_tfx"}


def files_of_the_packages():
    """What git holds, or would if it were added; of a copy without git, all but byte code."""
    if not (ROOT / ".git").exists():
        files = (path for name in PACKAGES for path in (ROOT / name).rglob("*"))
        found = [path.relative_to(ROOT) for path in files if path.is_file()]
        return [path for path in found if "__pycache__" not in path.parts]
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.splitlines()]


def test_the_wheel_holds_what_the_demo_copies(installed):
    (share,) = installed.glob("*.data/data/share/graft")
    names = ("digits.yaml", "pictures.py", "backbone/saved_model.pb", "backbone/fingerprint.pb")
    weights = ("variables.index", "variables.data-00000-of-00001")
    for name in (*names, *(f"backbone/variables/{one}" for one in weights)):
        source = ROOT / "examples/digits" / name
        assert (share / "digits" / name).read_bytes() == source.read_bytes()


def test_what_was_installed_starts_away_from_the_checkout(installed, tmp_path):
    code = (
        "import pipeline, sys; from pipeline.cli import main;"
        "print(pipeline.__file__); sys.exit(main(['schema']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == str(installed / "pipeline/__init__.py")
    assert done.stdout.endswith("}\n")
