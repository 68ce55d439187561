"""Pushes that are really killed at random moments while a reader loads the newest version."""

import itertools
import json
import os
import random
import shutil
import sys
import time

import pytest

from components.pusher.load_check import Loaded
from components.pusher.local_target import list_versions
from components.pusher.publish import Delivery, publish

SEED = 5
# One push in so many loads its staged copy before the rename, as real ones do.
CHECKED_ONE_IN = 10


def make_variant(model, number):
    """Makes the model another one, by a file that it does not read."""
    (model / "assets.extra" / "number").write_text(str(number))


def time_push(start, model, serving, checked):
    """Seconds from the moment at which a push can be killed to its end."""
    process = start("push", model, serving, 5, *checked)
    assert process.stdout.readline() == "go\n"
    begun = time.monotonic()
    assert process.stdout.readline().strip().isdecimal()
    return time.monotonic() - begun


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills", [pytest.param(25, id="25"), pytest.param(200, id="200", marks=pytest.mark.long)]
)
def test_a_reader_of_the_newest_version_never_fails_while_pushes_are_killed(
    start, colours_model, serving, tmp_path, kills, capsys
):
    model = tmp_path / "model"
    shutil.copytree(colours_model, model)
    # Large enough that many a kill comes while it is copied.
    (model / "assets.extra" / "padding").write_bytes(random.Random(SEED).randbytes(5_000_000))
    publish(Delivery(str(model)), str(serving), 5, lambda folder: Loaded(0, 0.0))
    stop = tmp_path / "stop"
    reads_file = tmp_path / "reads"
    reader = start("read_newest", serving, stop, reads_file)
    while not reads_file.exists() or not reads_file.read_text():
        assert reader.poll() is None
        time.sleep(0.1)

    chance = random.Random(SEED)
    seconds = {}
    for checked in ((), ("checked",)):
        make_variant(model, f"timed {checked}")
        seconds[checked] = time_push(start, model, serving, checked)
    outcomes = {"killed while it staged": 0, "killed afterwards": 0, "done before the kill": 0}
    for number in itertools.count():
        if sum(outcomes.values()) - outcomes["done before the kill"] == kills:
            break
        make_variant(model, number)
        checked = ("checked",) if number % CHECKED_ONE_IN == 0 else ()
        before = list_versions(serving)[-1]
        pusher = start("push", model, serving, 5, *checked)
        assert pusher.stdout.readline() == "go\n"
        time.sleep(chance.uniform(0, 1.1 * seconds[checked]))
        pusher.kill()
        pusher.wait()
        landed = list_versions(serving)[-1] > before
        if pusher.stdout.read():
            outcomes["done before the kill"] += 1
            # The machine has less to do than when it was timed.
            seconds[checked] *= 0.9
        elif landed:
            outcomes["killed afterwards"] += 1
        else:
            outcomes["killed while it staged"] += 1
            seconds[checked] *= 1.03
    stop.touch()
    assert reader.wait(60) == 0

    reads = [json.loads(line) for line in reads_file.read_text().splitlines()]
    failures = [read for read in reads if read[1:3] != [["red"], None]]
    assert failures == []
    versions = [version for version, *_rest in reads]
    assert versions == sorted(versions)
    assert outcomes["killed while it staged"] >= kills / 4
    figures = {
        "kills": kills,
        **outcomes,
        "reads": len(reads),
        "versions read": len(set(versions)),
        "failed reads": len(failures),
        "left behind at the end": sorted(
            n.split("-")[0] for n in os.listdir(serving) if n[0] == "."
        ),
    }
    with capsys.disabled():
        sys.stdout.write(f"\n{json.dumps(figures)}\n")
    make_variant(model, "last")
    publish(Delivery(str(model)), str(serving), 5, lambda folder: Loaded(0, 0.0))
    assert [name for name in os.listdir(serving) if name.startswith(".")] == [".push.lock"]
