import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.speed.measure import descendants, folder_bytes, held_bytes, measure


def run(code, tmp_path, **how):
    return measure([sys.executable, "-c", code], tmp_path / "log", **how)


def test_cpu_seconds_of_the_process_are_counted(tmp_path):
    code = "import time\nwhile time.process_time() < 0.5: pass"
    assert 0.45 < run(code, tmp_path).cpu_s < 1.5


def test_cpu_seconds_of_its_children_are_counted(tmp_path):
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])"
    assert 0.45 < run(code, tmp_path).cpu_s < 1.5


def test_cpu_seconds_of_a_helper_that_outlives_the_process_are_counted(tmp_path):
    burn = (
        "import time\nwhile time.process_time() < 0.5: pass\n"
        f"open({str(tmp_path / 'burnt')!r}, 'w')\ntime.sleep(60)"
    )
    code = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {burn!r}])\n"
        f"while not os.path.exists({str(tmp_path / 'burnt')!r}): time.sleep(0.05)"
    )
    usage = run(code, tmp_path)
    assert usage.code == 0
    assert 0.45 < usage.cpu_s < 1.5


def test_waiting_is_wall_time_and_no_cpu_time(tmp_path):
    usage = run("import time; time.sleep(0.6)", tmp_path)
    assert usage.wall_s > 0.6
    assert usage.cpu_s < 0.4


def test_peak_memory_is_that_of_the_whole_tree(tmp_path):
    hold = "import time; held = b'x' * 60_000_000; time.sleep(1.2)"
    code = (
        "import subprocess, sys\n"
        f"both = [subprocess.Popen([sys.executable, '-c', {hold!r}]) for _ in range(2)]\n"
        "for one in both: one.wait()"
    )
    assert 120 < run(code, tmp_path).peak_mb < 200


def test_memory_that_processes_share_counts_once():
    code = (
        "import mmap, os, sys\n"
        "held = mmap.mmap(-1, 50_000_000)\n"
        "held.write(b'x' * 50_000_000)\n"
        "child = os.fork()\n"
        "if child == 0: held[:]\n"
        "print(child, flush=True) if child else None\n"
        "sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as process:
        child = int(process.stdout.readline())
        both, one = held_bytes([process.pid, child]), held_bytes([process.pid])
        process.stdin.close()
    assert 50_000_000 < one < 120_000_000
    assert both < one + 40_000_000


def test_bytes_that_go_to_the_disk_are_counted_of_children_too(tmp_path):
    write = f"open({str(tmp_path / 'file')!r}, 'wb').write(b'x' * 5_000_000)"
    usage = run(
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {write!r}])", tmp_path
    )
    if usage.written_bytes == 0:
        pytest.skip("this file system is in memory, or the kernel does not count")
    assert 5_000_000 <= usage.written_bytes < 6_000_000


def test_the_exit_code_and_what_it_said_are_kept(tmp_path):
    usage = run("print('hello'); raise SystemExit(3)", tmp_path)
    assert usage.code == 3
    assert not usage.killed
    assert (tmp_path / "log").read_text() == "hello\n"


def test_it_is_killed_with_its_children_when_the_watcher_says_so(tmp_path):
    mark = tmp_path / "started"
    child = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    usage = run(code, tmp_path, watch=lambda: mark.exists() and bool(mark.read_text()))
    assert usage.killed
    assert usage.code == -9
    wait_until_gone(int(mark.read_text()))


def wait_until_gone(pid):
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} still runs")


def test_a_process_is_its_own_descendant():
    assert os.getpid() in descendants(os.getpid())


def test_a_hard_link_counts_once(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 1000)
    os.link(tmp_path / "a" / "file", tmp_path / "link")
    (tmp_path / "other").symlink_to(tmp_path / "link")
    assert folder_bytes(tmp_path) == 1000
    assert folder_bytes(tmp_path / "nothing") == 0
