"""Submits a request and follows it, with the terminal kept for progress."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.submit.backbones import copy_backbones
from pipeline.submit.image import check_image
from pipeline.submit.kubeflow import Kubeflow
from pipeline.submit.platform import Platform
from pipeline.submit.request import Request
from pipeline.submit.vertex import Vertex
from pipeline.submit.wait import wait
from pipeline.terminal import Session
from preprocessing.errors import GraftError
from preprocessing.progress import note, stage

_PLATFORMS: Mapping[str, type[Vertex] | type[Kubeflow]] = {"vertex": Vertex, "kubeflow": Kubeflow}


def submit_request(
    request: Request, *, waiting: bool, schedule: bool, replace: bool
) -> Mapping[str, Any]:
    """Gives a pipeline to its platform.

    Args:
        request: What is submitted.
        waiting: Whether to follow the run until it ends.
        schedule: Whether to make the submit file's schedule instead of a run.
        replace: Whether that may take the place of one of the same name.

    Returns:
        What `--json` prints: target, name, id, url, state and tasks, all JSON.

    Raises:
        UsageError: Something that the user or an administrator has to mend.
        RunFailedError: The run did not succeed.
    """
    with tempfile.NamedTemporaryFile(prefix="graft-submit-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    try:
        with Session(log):
            result = _submit(request, waiting=waiting, schedule=schedule, replace=replace)
    except GraftError as error:
        error.args = (f"{error}\n  Log: {log}",)
        raise
    except KeyboardInterrupt:
        log.unlink()
        raise
    log.unlink()
    return result


def _submit(request: Request, *, waiting: bool, schedule: bool, replace: bool) -> dict[str, Any]:
    submit = request.submit
    platform, token = _connect(request)
    unsure = check_image(submit.image, token)
    if unsure:
        note(f"image not checked: {unsure}")
    copy_backbones(submit.backbones)
    started = platform.schedule(replace) if schedule else platform.start()
    result: dict[str, Any] = {"target": submit.target, "name": submit.name, **asdict(started)}
    result |= {"parameters": dict(request.parameters)}
    if schedule:
        return result | {"schedule": submit.schedule and submit.schedule.model_dump()}
    if not waiting:
        return result | {"state": "started", "tasks": {}}
    note(f"{submit.name}: {started.url}")
    try:
        progress = wait(platform, started)
    except KeyboardInterrupt:
        note(f"stopped waiting; the run goes on: {started.url}")
        raise
    tasks = {name: asdict(task) for name, task in progress.tasks.items()}
    return result | {"state": progress.state, "tasks": tasks}


def _connect(request: Request) -> tuple[Platform, Callable[[], str] | None]:
    """Returns the platform and, where it is Google's, what gives an access token."""
    began = time.monotonic()
    stage("Client", "started")
    platform: Vertex | Kubeflow = _PLATFORMS[request.submit.target](request)
    stage("Client", "run", time.monotonic() - began)
    return platform, platform.token if isinstance(platform, Vertex) else None
