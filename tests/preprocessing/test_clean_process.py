"""A process that waited is as clean as a new one, and outlives nobody."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from preprocessing.clean_process import Program, spares, start

ROOT = Path(__file__).resolve().parents[2]
# What a program can see of where it runs.
LOOKS = """
import json, os, sys
json.dump({
    "modules": sorted(sys.modules),
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "variable": os.environ.get("GRAFT_TEST"),
    "path": sys.path,
    "input": sys.stdin.read() if len(sys.argv) > 2 else None,
    "leader": os.getpid() == os.getsid(0),
}, open(sys.argv[1], "w"))
print("said")
"""


@pytest.fixture
def look(tmp_path):
    """Runs the program that looks around, and tells what it saw."""
    program, seen, log = tmp_path / "looks.py", tmp_path / "seen.json", tmp_path / "log"
    program.write_text(LOOKS)
    (tmp_path / "empty").mkdir()

    def look():
        order = Program(program, [str(seen)], tmp_path / "empty", log, {"GRAFT_TEST": "here"})
        with start(order) as process:
            assert process.wait(60) == 0
        assert log.read_text() == "said\n"
        return {**json.loads(seen.read_text()), "pid": process.pid}

    return look


def check_surroundings(seen, tmp_path):
    assert seen["folder"] == str(tmp_path / "empty")
    assert seen["variable"] == "here"
    assert seen["leader"]
    assert not {str(ROOT), "", str(ROOT / "preprocessing")} & set(seen["path"])
    ours = {"preprocessing", "components", "trainer", "pipeline", "serving"}
    assert not ours & {name.partition(".")[0] for name in seen["modules"]}


def test_without_a_spare_a_program_starts_in_a_process_that_imported_nothing(look, tmp_path):
    seen = look()
    check_surroundings(seen, tmp_path)
    assert "tensorflow" not in seen["modules"]


def test_spares_have_tensorflow_and_nothing_of_ours(look, tmp_path):
    with spares(2):
        first, second, third = look(), look(), look()
    for seen in (first, second, third):
        check_surroundings(seen, tmp_path)
    assert ["tensorflow" in seen["modules"] for seen in (first, second, third)] == [
        True,
        True,
        False,
    ]
    assert len({seen["pid"] for seen in (first, second, third)}) == 3


def test_a_spare_that_nobody_wanted_is_ended():
    with spares(1):
        (child,) = children(os.getpid(), 1)
    assert not is_alive(child)


def test_a_spare_that_died_is_replaced(look, tmp_path):
    with spares(1):
        (child,) = children(os.getpid(), 1)
        os.kill(child, signal.SIGKILL)
        time.sleep(0.2)
        check_surroundings(look(), tmp_path)


def test_neither_spare_nor_program_outlives_who_started_it(tmp_path):
    program = tmp_path / "waits.py"
    program.write_text("import time; time.sleep(600)")
    paths = f"Path({str(program)!r}), [], Path('/'), Path({str(tmp_path / 'log')!r})"
    script = (
        "import time\n"
        "from pathlib import Path\n"
        "from preprocessing.clean_process import Program, spares, start\n"
        "with spares(2):\n"
        f"    start(Program({paths}))\n"
        "    print('started', flush=True)\n"
        "    time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    started = children(process.pid, 2)
    assert len(started) == 2
    process.kill()
    process.communicate()
    ended = time.monotonic() + 20
    while any(is_alive(one) for one in started) and time.monotonic() < ended:
        time.sleep(0.05)
    assert [one for one in started if is_alive(one)] == []


def children(pid, count):
    """Those that are ours: other tests leave some behind.

    One that was started this moment has no command line yet: waits for `count`.
    """
    ended = time.monotonic() + 20
    while len(found := clean_children(pid)) < count and time.monotonic() < ended:
        time.sleep(0.01)
    return found


def clean_children(pid):
    return [
        int(one)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for one in (task / "children").read_text().split()
        if is_alive(int(one)) and b"clean_child.py" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


def is_alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
