"""Runs a compiled spec on this machine, task by task, with the tasks' own command lines.

What a platform does around a task is in vertex.py and kubeflow.py.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

# `python` of an image is the one that has our packages.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
EXECUTOR_INPUT = "{{$}}"


class TaskFailedError(Exception):
    """A task's command ended with another code than 0."""


def run_spec(spec, platform, parameters=None, only=None):
    """Runs tasks.

    Args:
        spec: A Spec.
        platform: Vertex or Kubeflow; keeps what was made, also for another run.
        parameters: The run's; the rest have their defaults.
        only: The tasks that run, by name; the others' results are those of the run
            before, as from a cache. All of them if none are named.

    Returns:
        The artifacts that each task made, by the names of its outputs.
    """
    for task in spec.in_order():
        if only and task.name not in only:
            continue
        if "container" in task.executor:
            platform.run_container(task, spec.parameters(task, parameters or {}, platform.filled))
        elif "importer" in task.executor:
            uri = task.executor["importer"]["artifactUri"]["constant"]
            platform.note(task, {key: {"uri": uri, "metadata": {}} for key in task.outputs})
        else:
            platform.resolve(task)
    return platform.made


def call(command, executor_input, folder, **environment):
    """Runs a command as a container does: nothing of ours is in its folder.

    Args:
        command: With placeholders.
        executor_input: What stands for `{{$}}`.
        folder: The task's own; it gets the log.
        environment: Variables.
    """
    assert "{{$" not in "".join(command).replace(EXECUTOR_INPUT, ""), command
    text = json.dumps(executor_input)
    filled = [one.replace(EXECUTOR_INPUT, text) for one in command]
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with log.open("ab") as file:
        code = subprocess.run(
            filled,
            cwd=folder,
            env={**os.environ, "PATH": PATH, **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        ).returncode
    if code:
        tail = log.read_text(encoding="utf-8", errors="replace")[-6000:]
        raise TaskFailedError(f"{folder.name} ended with {code}:\n{tail}")
