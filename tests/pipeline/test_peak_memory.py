"""The memory of a run is that of all its processes together."""

import os
import subprocess
import sys
import time

import pytest

from pipeline.peak_memory import SAMPLE_SECONDS, PeakMemory, held_kilobytes

MEGABYTE = 1024 * 1024
HOLD = "import sys; held = b'x' * int(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def child():
    """Gives a function that starts a process which holds so many megabytes."""
    started = []

    def start(megabytes, command=HOLD):
        process = subprocess.Popen(
            [sys.executable, "-c", command, str(megabytes * MEGABYTE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in started:
        process.communicate()


def test_what_a_child_holds_counts(child):
    before = held_kilobytes(os.getpid())
    child(200)
    assert 200 * 1024 <= held_kilobytes(os.getpid()) - before <= 230 * 1024


def test_a_grandchild_counts_too(child):
    before = held_kilobytes(os.getpid())
    nested = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}, sys.argv[1]])"
    )
    child(150, nested)
    assert held_kilobytes(os.getpid()) - before >= 150 * 1024


def test_the_peak_stays_when_the_child_has_gone(child):
    before = held_kilobytes(os.getpid())
    with PeakMemory() as memory:
        process = child(300)
        time.sleep(2 * SAMPLE_SECONDS)
        process.communicate()
    assert memory.megabytes >= before / 1024 + 300


def test_a_peak_of_this_process_is_never_missed():
    with PeakMemory() as memory:
        bytearray(400 * MEGABYTE)[:] = b"x" * (400 * MEGABYTE)
    assert memory.megabytes >= 400


def test_a_process_that_is_gone_holds_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert held_kilobytes(process.pid) == 0
