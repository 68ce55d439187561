"""A run that is killed in one component after the other and resumed, beside one left alone."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.demo import write_demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# Where it is killed, in this order; the random delay stays below what the component takes.
KILLED = [
    "ExampleGen",
    "Transform",
    "Embedder",
    "Trainer",
    "ServingValidator",
    "Evaluator",
    "Pusher",
]
LONGEST_DELAY = 0.8
# Not from the cache: what comes before the pipeline, and what looks at the world outside.
ALWAYS_RUN = {"Backbones", "Baseline", "Pusher"}
# Long enough for a checkpoint.
EPOCHS = 300
PICTURES_PER_CLASS = 40
SEED = int(os.environ.get("GRAFT_KILL_SEED", random.SystemRandom().randrange(10_000)))
ARGUMENTS = [
    "run",
    "digits.yaml",
    "--set",
    f"train.epochs={EPOCHS}",
    "--set",
    "evaluate.thresholds.accuracy.min=0.5",
]


class Attempt:
    """One run of the chain: what it said, and what had finished when it ended."""

    def __init__(self, lines, log):
        self.lines, self.log = lines, log
        ended = [re.fullmatch(r"(\w+): (finished|cached) after .*", line) for line in lines]
        self.states = {one[1]: one[2] for one in ended if one}
        begun = [line.removesuffix(": started") for line in lines if line.endswith(": started")]
        self.inside = begun[-1]
        self.resumes = [line for line in lines if line.startswith("resumes run")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Gives a function that makes a folder with a small demo, and a temporary folder for all."""
    temporary = tmp_path_factory.mktemp("temporary")

    def make(name):
        folder = tmp_path_factory.mktemp(name)
        write_demo(folder)
        for one in (folder / "pictures").iterdir():
            for picture in sorted(one.iterdir())[PICTURES_PER_CLASS:]:
                picture.unlink()
        return folder

    make.temporary = temporary
    return make


@pytest.fixture(scope="module")
def folder(workplace):
    return workplace("killed")


@pytest.fixture(scope="module")
def refusal():
    """What a second run says that was begun while the first was going on."""
    return {}


@pytest.fixture(scope="module")
def attempts(graft, workplace, folder, refusal):
    """The runs that were killed, by the component that they were killed in."""
    sys.stdout.write(f"GRAFT_KILL_SEED={SEED}\n")
    chance = random.Random(SEED)
    runs = {}
    for component in KILLED:
        arguments = [*ARGUMENTS, "--resume"] if runs else ARGUMENTS
        delay = chance.uniform(0, LONGEST_DELAY)
        meanwhile = None if runs else lambda: refusal.update(second=graft(*ARGUMENTS, cwd=folder))
        runs[component] = kill_in(
            component, delay, arguments, folder, workplace.temporary, meanwhile
        )
    return runs


@pytest.fixture(scope="module")
def last(graft, attempts, folder):
    result = graft(*ARGUMENTS, "--resume", "--json", cwd=folder)
    assert result.code == 0, result.err
    return result


@pytest.fixture(scope="module")
def undisturbed(graft, workplace):
    result = graft(*ARGUMENTS, "--json", cwd=workplace("undisturbed"))
    assert result.code == 0, result.err
    return result


def kill_in(component, delay, arguments, folder, temporary, meanwhile):
    """Runs graft, and kills it and all that it started when it is in a component."""
    logs = folder / ".graft" / "logs"
    before = set(logs.glob("*")) if logs.is_dir() else set()
    command = [str(Path(sys.executable).parent / "graft"), *arguments]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    lines = []
    try:
        for line in process.stderr:
            lines.append(line.rstrip("\n"))
            if line == f"{component}: started\n":
                break
        else:
            raise AssertionError(f"It ended before the {component}:\n" + "\n".join(lines))
        if meanwhile:
            meanwhile()
        if component == "Trainer":
            wait_for(process, folder / ".graft" / "checkpoints", "*/head/checkpoint")
        time.sleep(delay)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        lines += process.stderr.read().splitlines()
        process.wait()
    (log,) = set(logs.glob("*")) - before
    return Attempt(lines, log.read_text())


def wait_for(process, folder, pattern):
    """Waits until a file is there."""
    while process.poll() is None and not any(folder.glob(pattern)):
        time.sleep(0.05)
    assert process.poll() is None


def pushed(result):
    at = result.summary["pushed"]
    return Path(at["path"]) / str(at["version"])


def answers(result, pictures):
    import tensorflow as tf

    model = tf.saved_model.load(str(pushed(result)))
    images = tf.constant([path.read_bytes() for path in pictures])
    return model.signatures["serving_default"](image=images)["probabilities"].numpy()


@pytest.mark.parametrize("component", KILLED)
def test_a_killed_run_is_resumed_by_name_and_place(component, attempts, last):
    runs = list(attempts.values())
    place = KILLED.index(component)
    said = runs[place + 1].resumes if component != KILLED[-1] else last.err.splitlines()
    (line,) = (one for one in said if one.startswith("resumes run"))
    killed = runs[place]
    run_id = re.fullmatch(r"resumes run (\S+), killed (in|after) the (\w+); .*", line)
    assert (folder_of_log := run_id[1])
    assert folder_of_log in {path.stem for path in Path(last.summary["log"]).parent.iterdir()}
    # Between two components there is a moment in which neither runs.
    assert run_id[3] in {killed.inside, *killed.states}


@pytest.mark.parametrize("component", KILLED)
def test_what_had_finished_is_not_done_again(component, attempts, last):
    runs = list(attempts.values())
    place = KILLED.index(component)
    finished = {name for run in runs[: place + 1] for name in run.states} - ALWAYS_RUN
    after = runs[place + 1].states if component != KILLED[-1] else last.states
    assert {name for name in finished if after[name] != "cached"} == set()


def test_the_training_goes_on_from_its_checkpoint(attempts, last):
    went_on = re.search(
        r"Training of the head goes on after epoch (\d+)", attempts["ServingValidator"].log
    )
    assert 1 <= int(went_on[1]) < EPOCHS
    assert len(last.summary["history"]["loss"]) == EPOCHS


def test_the_baseline_stays_that_of_the_first_run(last):
    assert last.summary["baseline"].startswith("there is no blessed model yet")


def test_the_model_is_that_of_a_run_left_alone(last, undisturbed, folder):
    pictures = sorted((folder / "pictures").rglob("*.png"))[::7]
    ours, theirs = answers(last, pictures), answers(undisturbed, pictures)
    assert abs(ours - theirs).max() <= 1e-5
    assert last.summary["history"] == undisturbed.summary["history"]
    for split, values in last.summary["metrics"].items():
        assert values == pytest.approx(undisturbed.summary["metrics"][split], abs=1e-6)


def test_its_weights_are_those_of_a_run_left_alone_to_the_bit(last, undisturbed):
    names = [pushed(one) / "variables/variables.data-00000-of-00001" for one in (last, undisturbed)]
    assert names[0].read_bytes() == names[1].read_bytes()


def test_the_summary_says_which_run_was_resumed(last, folder):
    resumed = last.summary["resumed"]
    assert (folder / ".graft" / "runs" / resumed / "begun.json").is_file()
    assert not (folder / ".graft" / "runs" / resumed / "summary.json").exists()


def test_nothing_is_left_of_what_was_killed(last, folder, workplace):
    artifacts = folder / ".graft" / "artifacts"
    outputs = [one for one in artifacts.glob("*/*") if one.name != ".system"]
    # Each component finished once.
    assert {one: len(list(one.iterdir())) for one in outputs} == dict.fromkeys(outputs, 1)
    assert list(artifacts.glob("*/.system/stateful_working_dir/*")) == []
    assert list(artifacts.glob("*/.system/executor_execution/*/.temp")) == []
    assert list((folder / ".graft" / "checkpoints").iterdir()) == []
    served = {one.name for one in (folder / "serving/digits").iterdir()}
    assert served == {".push.lock", pushed(last).name}


def test_a_second_run_is_refused_while_one_is_going_on(attempts, refusal, folder):
    second = refusal["second"]
    assert second.code == 2
    assert re.fullmatch(
        r"graft: Another run is going on in this working folder\n"
        rf"  Received: '{folder}/.graft'\n"
        r"  It is run \S+, process \d+ on \S+\.\n"
        r"  Wait for it or stop it, or give this one a folder of its own: "
        r"--set local_workdir=\.\.\.\n",
        second.err,
    )


def test_there_is_nothing_to_resume_after_a_run_that_went_through(graft, last, folder):
    again = graft(*ARGUMENTS, "--resume", cwd=folder)
    assert again.code == 2
    assert again.err.startswith(
        "graft: There is nothing to resume: the last run of digits went through\n"
        f"  Received: '{last.summary['run_id']}'"
    )


def test_the_temporary_folders_of_killed_runs_are_gone(last, workplace):
    assert list(workplace.temporary.iterdir()) == []
