"""A run that is really killed goes on where it was, and ends as one that was left in peace."""

import os
import signal
import subprocess
import sys
import time

import pytest

GRAFT = "import sys; from pipeline.cli import main; sys.exit(main())"


def command(model, source, output, *options):
    arguments = ["predict", model, source, "-o", output, "--shard-rows", "4", *options]
    return [sys.executable, "-c", GRAFT, *map(str, arguments)]


def finished_parts(output):
    folder = output.with_name(output.name + ".parts")
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("part-*.parquet")}


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_output(colours_model, picture, predict, tmp_path):
    source, output = tmp_path / "pictures", tmp_path / "out.parquet"
    (source / "red").mkdir(parents=True)
    for number in range(60):
        # Large, so that a shard takes long enough to be killed in the middle.
        large = picture([255 - number, number, 0], size=(600, 600))
        (source / "red" / f"{number:03d}.png").write_bytes(large)
    (source / "red" / "zzz.png").write_bytes(b"no picture")

    running = subprocess.Popen(command(colours_model, source, output), stderr=subprocess.DEVNULL)
    while len(finished_parts(output)) < 3 and running.poll() is None:
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    before = finished_parts(output)
    assert 3 <= len(before) < 16
    assert not output.exists()

    # The last picture stops this one when all else is done, which shows the parts.
    refused = [*command(colours_model, source, output), "--max-unreadable", "0"]
    done = subprocess.run(refused, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "red/zzz.png: not a JPEG, PNG, GIF or BMP" in done.stderr
    parts = finished_parts(output)
    assert len(parts) == 16
    assert {name: parts[name] for name in before} == before

    done = subprocess.run(command(colours_model, source, output), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "  Resumed    61 rows were done already\n" in done.stdout
    assert not output.with_name("out.parquet.parts").exists()

    predict(colours_model, source, "peaceful.parquet", shard_rows=4)
    assert output.read_bytes() == (tmp_path / "peaceful.parquet").read_bytes()
