"""Kubeflow Pipelines 2, through kfp's client.

A token for its API is taken from KFP_TOKEN, or from the file that kfp's own
KF_PIPELINES_SA_TOKEN_PATH names; a session's cookie from KFP_COOKIE.
"""

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from pipeline.submit.kubeflow_errors import explained, refused
from pipeline.submit.platform import (
    Progress,
    Started,
    State,
    Task,
    UnreachableError,
    check_not_doubled,
    wanted_schedule,
)
from pipeline.submit.request import Request
from preprocessing.errors import UsageError, explain

TOKEN, TOKEN_FILE, COOKIE = "KFP_TOKEN", "KF_PIPELINES_SA_TOKEN_PATH", "KFP_COOKIE"
_TIMEOUT_SECONDS = 20.0
_HEALTH = "/apis/v2beta1/healthz"

# V2beta1RuntimeState.
_STATES: dict[str, State] = {
    "PENDING": "waiting",
    "RUNNING": "running",
    "PAUSED": "running",
    "CANCELING": "running",
    "SUCCEEDED": "succeeded",
    "SKIPPED": "cached",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}


class Kubeflow:
    """Submits one request.

    Args:
        request: With the endpoint of the API.

    Raises:
        UsageError: There is no endpoint, nothing or something else answers there, or
            it wants credentials or a namespace.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        submit = request.submit
        if not submit.endpoint:
            what = "The address of Kubeflow Pipelines is not given"
            see = (
                "deploy.kubeflow.endpoint, such as http://localhost:8080 after kubectl port-forward"
            )
            raise UsageError(explain(what, submit.endpoint, (), see))
        self._endpoint = submit.endpoint.rstrip("/").removesuffix("/#")
        token, cookie = _read_token(), os.environ.get(COOKIE)
        # The client would ask five times over 25 seconds, whatever the answer.
        health = _check_health(self._endpoint, token, cookie)
        if health.get("multi_user") and not submit.namespace:
            what = f"Kubeflow Pipelines at {self._endpoint} has many users; it wants a namespace"
            raise UsageError(explain(what, submit.namespace, (), "deploy.kubeflow.namespace"))
        with self._asking():
            import kfp

            self._client: Any = kfp.Client(
                host=self._endpoint,
                namespace=submit.namespace or "kubeflow",
                existing_token=token,
                cookies=cookie,
            )

    def start(self) -> Started:
        """Starts a run."""
        submit = self._request.submit
        with self._asking():
            run = self._client.run_pipeline(
                experiment_id=self._experiment(),
                job_name=submit.name,
                pipeline_package_path=str(self._request.spec),
                params=dict(self._request.parameters),
                pipeline_root=submit.pipeline_root,
                service_account=submit.service_account,
            )
        return Started(run.run_id, f"{self._endpoint}/#/runs/details/{run.run_id}")

    def look(self, run: Started) -> Progress:
        """Asks how far a run is."""
        with self._asking():
            found = self._client.get_run(run.id)
        details = found.run_details.task_details if found.run_details else None
        # Beside the pipeline's own tasks there are drivers and the whole.
        tasks = {
            one.display_name: Task(_state(one.state), _seconds(one), _message(one.error))
            for one in details or ()
            if one.display_name in self._request.tasks
        }
        return Progress(_state(found.state), tasks, _message(found.error))

    def schedule(self, replace: bool) -> Started:
        """Has Kubeflow start runs by itself; see `Platform.schedule`."""
        submit = self._request.submit
        wanted = wanted_schedule(self._request)
        with self._asking():
            experiment = self._experiment()
            there = self._schedules(experiment)
            check_not_doubled(submit.name, there, replace)
            made = self._client.create_recurring_run(
                experiment_id=experiment,
                job_name=submit.name,
                # Kubeflow's cron begins with seconds.
                cron_expression=f"0 {wanted.cron}",
                start_time=wanted.start_time,
                end_time=wanted.end_time,
                max_concurrency=wanted.max_concurrent_runs,
                # A run takes all spans that have come meanwhile.
                no_catchup=True,
                params=dict(self._request.parameters),
                pipeline_package_path=str(self._request.spec),
                pipeline_root=submit.pipeline_root,
                service_account=submit.service_account,
            )
            for old in there:
                self._client.delete_recurring_run(old)
        name = made.recurring_run_id
        return Started(name, f"{self._endpoint}/#/recurringrun/details/{name}")

    def _experiment(self) -> str:
        submit = self._request.submit
        name = submit.experiment or "Default"
        found = self._client.create_experiment(name, namespace=submit.namespace)
        return str(found.experiment_id)

    def _schedules(self, experiment: str) -> list[str]:
        """Returns the ids of those that have this pipeline's name."""
        found: list[Any] = []
        token = ""
        while True:
            page = self._client.list_recurring_runs(
                page_token=token, page_size=100, experiment_id=experiment
            )
            found += page.recurring_runs or ()
            token = page.next_page_token
            if not token:
                break
        name = self._request.submit.name
        return [str(one.recurring_run_id) for one in found if one.display_name == name]

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Keeps what the client prints to itself, and explains what it raises."""
        with (
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
            explained(self._endpoint),
        ):
            warnings.simplefilter("ignore")
            yield


def _check_health(endpoint: str, token: str | None, cookie: str | None) -> dict[str, Any]:
    """Asks the API whether it is one, and returns what it says of itself."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Cookie": cookie} if cookie else {}
    url = f"{endpoint}{_HEALTH}"
    try:
        answer = httpx.get(url, headers=headers, timeout=_TIMEOUT_SECONDS)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UsageError(explain(f"This is no address: {error}", endpoint)) from None
    except httpx.HTTPError as error:
        raise UnreachableError(
            explain(f"Kubeflow Pipelines does not answer: {error}", endpoint)
        ) from None
    moved = answer.headers.get("location", "")
    if answer.is_redirect and "?" not in moved and moved.endswith(_HEALTH):
        # From http to https, say; whoever wants a login sends to a page of another name.
        what = "Kubeflow Pipelines is at another address"
        there = [moved.removesuffix(_HEALTH)]
        raise UsageError(explain(what, endpoint, there, "deploy.kubeflow.endpoint"))
    if answer.status_code != 200:
        raise refused(endpoint, answer.status_code, answer.text)
    try:
        return dict(answer.json())
    except (TypeError, ValueError):
        # A login page, or the web interface without its API.
        raise refused(endpoint, 404, answer.text) from None


def _read_token() -> str | None:
    path = os.environ.get(TOKEN_FILE)
    if os.environ.get(TOKEN) or not path:
        return os.environ.get(TOKEN)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        what = f"{TOKEN_FILE} names a file that cannot be read: {error.strerror}"
        raise UsageError(explain(what, path)) from None


def _state(state: str | None) -> State:
    return _STATES.get(state or "", "waiting")


def _seconds(task: Any) -> float | None:
    if not task.end_time or not task.start_time:
        return None
    return float((task.end_time - task.start_time).total_seconds())


def _message(error: Any) -> str:
    return (error.message or "") if error else ""
