"""A run that is really killed while it fine-tunes, and the same command again."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.demo import write_demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

EPOCHS = 20
PICTURES_PER_CLASS = 40
# Early stopping must not end the first run before it is killed.
OPTIONS = [f"train.fine_tune.{name}={EPOCHS}" for name in ("epochs", "patience")]
ARGUMENTS = ["run", "digits.yaml", "--json"] + [
    text
    for option in (
        "train.mode=fine_tune",
        "train.fine_tune.batch_size=8",
        "evaluate.thresholds.accuracy.min=0.5",
        *OPTIONS,
    )
    for text in ("--set", option)
]
BEFORE_TRAINER = {
    "ExampleGen",
    "ImportSchemaGen",
    "StatisticsGen",
    "ExampleValidator",
    "Transform",
    "Embedder",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    write_demo(folder)
    for one in (folder / "pictures").iterdir():
        for picture in sorted(one.iterdir())[PICTURES_PER_CLASS:]:
            picture.unlink()
    return folder


@pytest.fixture(scope="module")
def killed(folder):
    """The folder of the training's state, its run killed once there was one."""
    command = [str(Path(sys.executable).parent / "graft"), *ARGUMENTS]
    with (folder / "killed.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            stages = wait_for(process, folder / ".graft", "checkpoints/*/fine_tune/checkpoint")
        finally:
            process.kill()
            process.wait()
    return stages.parent


@pytest.fixture(scope="module")
def again(graft, killed, folder):
    result = graft(*ARGUMENTS, cwd=folder)
    assert result.code == 0, result.err
    return result


def wait_for(process, folder, pattern):
    """Gives the folder of the first file that appears."""
    while process.poll() is None:
        for found in folder.glob(pattern):
            return found.parent
        time.sleep(0.1)
    raise AssertionError(f"graft ended with {process.returncode} before there was {pattern}")


def test_all_that_came_before_the_trainer_is_done(again):
    cached = {name for name, state in again.states.items() if state == "cached"}
    assert cached == BEFORE_TRAINER
    assert again.states["Trainer"] == "run"


def test_the_trainer_goes_on_from_its_checkpoint(again):
    log = Path(again.summary["log"]).read_text()
    assert re.search(r"Training of the head had ended after epoch \d+", log)
    went_on = re.search(r"Training of the backbones goes on after epoch (\d+)", log)
    assert 1 <= int(went_on[1]) < EPOCHS


def test_the_history_is_that_of_one_training(again, folder):
    (path,) = folder.glob(".graft/artifacts/Trainer/model_run/*/history.json")
    history = json.loads(path.read_text())
    assert {len(values) > EPOCHS for values in history.values()} == {True}


def test_nothing_is_left_of_the_checkpoints(again, killed):
    assert not killed.exists()
