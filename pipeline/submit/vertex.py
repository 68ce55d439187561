"""Vertex AI, through the PipelineJob of google-cloud-aiplatform.

Its client is imported when a Vertex object is made, which takes seconds. It talks
REST, not gRPC: that is what proxies let through, and what tests can answer.
"""

import contextlib
import datetime
import secrets
from collections.abc import Iterator
from typing import Any

from pipeline.submit.google_errors import explained
from pipeline.submit.platform import (
    Progress,
    Started,
    State,
    Task,
    check_not_doubled,
    wanted_schedule,
)
from pipeline.submit.request import Request
from preprocessing.errors import UsageError, explain

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_CONSOLE = "https://console.cloud.google.com/vertex-ai"

# PipelineState and PipelineTaskDetail.State, without their prefixes.
_STATES: dict[str, State] = {
    "QUEUED": "waiting",
    "PENDING": "waiting",
    "NOT_TRIGGERED": "waiting",
    "RUNNING": "running",
    "CANCEL_PENDING": "running",
    "CANCELLING": "running",
    "PAUSED": "running",
    "SUCCEEDED": "succeeded",
    "SKIPPED": "cached",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}


class Vertex:
    """Submits one request.

    Args:
        request: With a project and a location, or credentials that name a project.

    Raises:
        UsageError: There are no credentials, or they name no project.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        submit = request.submit
        with explained("The credentials for Google Cloud", submit.project or ""):
            import google.auth
            from google.cloud import aiplatform

            self._credentials, default = google.auth.default(scopes=_SCOPES)
        project: str | None = submit.project or default
        if project is None:
            what = "Neither deploy.vertex.project nor the credentials name a project"
            raise UsageError(explain(what, submit.project, (), "gcloud config set project"))
        self._project = project
        self._location = submit.location or "us-central1"
        self._where = f"projects/{self._project}/locations/{self._location}"
        aiplatform.init(
            project=self._project,
            location=self._location,
            credentials=self._credentials,
            api_endpoint=submit.endpoint or f"{self._location}-aiplatform.googleapis.com",
            api_transport="rest",
        )

    def token(self) -> str:
        """Returns an access token of the credentials."""
        from google.auth.transport.requests import Request as Transport

        with explained("The credentials for Google Cloud", self._project):
            self._credentials.refresh(Transport())
            return str(self._credentials.token)

    def start(self) -> Started:
        """Starts a run."""
        self._check_bucket()
        with self._asking():
            job = self._job()
            # PipelineJob.submit would also make the bucket where there is none and change
            # who may read it, and ask two more services about it.
            made = job.api_client.create_pipeline_job(
                parent=self._where,
                pipeline_job=self._resource(job),
                pipeline_job_id=job.job_id,
            )
        return Started(made.name, self._see(f"runs/{job.job_id}"))

    def look(self, run: Started) -> Progress:
        """Asks how far a run is."""
        from google.cloud import aiplatform

        with self._asking():
            job = aiplatform.PipelineJob.get(run.id).gca_resource
        tasks = {
            one.task_name: Task(_state(one.state), _seconds(one), one.error.message)
            for one in job.job_detail.task_details
            if one.task_name in self._request.tasks
        }
        return Progress(_state(job.state), tasks, job.error.message)

    def schedule(self, replace: bool) -> Started:
        """Has Vertex AI start runs by itself; see `Platform.schedule`."""
        from google.cloud import aiplatform

        submit = self._request.submit
        wanted = wanted_schedule(self._request)
        name = submit.name
        self._check_bucket()
        with self._asking():
            found: list[Any] = aiplatform.PipelineJobSchedule.list(filter=f'display_name="{name}"')
            there = [one for one in found if one.state.name in ("ACTIVE", "PAUSED")]
            check_not_doubled(name, [one.resource_name for one in there], replace)
            schedule = self._job().create_schedule(
                cron=wanted.cron,
                display_name=name,
                start_time=wanted.start_time,
                end_time=wanted.end_time,
                max_concurrent_run_count=wanted.max_concurrent_runs,
                service_account=submit.service_account,
                network=submit.network,
            )
            for old in there:
                old.delete()
        return Started(schedule.resource_name, self._see(f"schedules/{schedule.name}"))

    def _job(self) -> Any:
        from google.cloud import aiplatform

        submit = self._request.submit
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
        return aiplatform.PipelineJob(
            display_name=submit.name,
            template_path=str(self._request.spec),
            job_id=f"{submit.name.lower()}-{now}-{secrets.token_hex(2)}",
            pipeline_root=submit.pipeline_root,
            parameter_values=dict(self._request.parameters),
            encryption_spec_key_name=submit.encryption_key,
            labels=dict(submit.labels) or None,
        )

    def _resource(self, job: Any) -> dict[str, Any]:
        submit = self._request.submit
        optional = {
            "service_account": submit.service_account,
            "network": submit.network,
            "encryption_spec": submit.encryption_key and {"kms_key_name": submit.encryption_key},
        }
        return {
            "display_name": submit.name,
            "pipeline_spec": job.pipeline_spec,
            "runtime_config": job.runtime_config,
            "labels": dict(submit.labels),
            **{name: value for name, value in optional.items() if value},
        }

    def _check_bucket(self) -> None:
        """Refuses a bucket that is not there; a run would fail in its first task."""
        from google.api_core import exceptions
        from google.cloud.storage import Client

        root = self._request.submit.pipeline_root
        name = root.removeprefix("gs://").split("/")[0]
        with self._asking(), contextlib.suppress(exceptions.Forbidden, exceptions.Unauthorized):
            # Those who may run pipelines need not be allowed to look at the bucket.
            client = Client(project=self._project, credentials=self._credentials)
            if not client.bucket(name).exists(timeout=20, retry=None):
                see = f"gcloud storage buckets create gs://{name} --location={self._location}"
                raise UsageError(explain("There is no such bucket", root, (), see))

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        with explained("Vertex AI", self._where):
            yield

    def _see(self, page: str) -> str:
        return f"{_CONSOLE}/locations/{self._location}/pipelines/{page}?project={self._project}"


def _state(state: Any) -> State:
    return _STATES.get(state.name.removeprefix("PIPELINE_STATE_"), "waiting")


def _seconds(task: Any) -> float | None:
    if not task.end_time or not task.start_time:
        return None
    return (task.end_time - task.start_time).total_seconds()
