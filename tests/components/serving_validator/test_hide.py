"""What the clean process must not read, it cannot read."""

import subprocess
import sys

import pytest

from components.serving_validator.process import CHILD

SCRIPT = """
import runpy, sys
if not runpy.run_path(sys.argv[1])["hide"](sys.argv[2:4]):
    sys.exit(77)
for path in sys.argv[4:]:
    try:
        print(open(path).read(), end=" ")
    except OSError as error:
        print(type(error).__name__, end=" ")
"""


def test_folders_are_hidden_and_their_neighbours_are_not(tmp_path):
    for name in ("first/inner", "second", "beside"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text("seen")
    (tmp_path / "beside" / "link").symlink_to(tmp_path / "second" / "file")
    (tmp_path / "file").write_text("seen")
    hidden = [str(tmp_path / "first"), str(tmp_path / "second")]
    names = ("first/inner/file", "second/file", "beside/file", "file", "beside/link", "beside/none")
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            SCRIPT,
            str(CHILD.with_name("hide.py")),
            *hidden,
            *(str(tmp_path / name) for name in names),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode == 77:
        pytest.skip("this system has no Landlock")
    assert done.stdout.split() == [
        "PermissionError",
        "PermissionError",
        "seen",
        "seen",
        "PermissionError",
        "FileNotFoundError",
    ], done.stderr
