"""What `graft submit` must know beside the spec; imports no TensorFlow.

It stands beside the spec as `<spec>.submit.json`. Credentials never do.
"""

from pathlib import Path

from pipeline.config import Config
from pipeline.deploy_config import DeployConfig, Target
from pipeline.kubeflow.parameters import Limits, Parameter, Value
from pipeline.schedule_config import Schedule
from preprocessing.config import Record

SUFFIX = ".submit.json"


class Copy(Record):
    """A folder that has to be where tasks read it before a run starts.

    Attributes:
        source: Folder of this machine.
        target: Address.
        digest: Of the content, as trainer.backbones.store gives it.
    """

    source: str
    target: str
    digest: str


class SubmitSchedule(Record):
    """When runs start; `cron` as the platform takes it."""

    cron: str
    max_concurrent_runs: int
    start_time: str | None
    end_time: str | None


class SubmitFile(Record):
    """All that a submission needs, and nothing secret.

    Attributes:
        parameters: The defaults.
        limits: Of each parameter; see `values.check_value`.
    """

    target: Target
    name: str
    image: str
    pipeline_root: str
    parameters: dict[str, Value]
    limits: dict[str, Limits] = {}
    labels: dict[str, str]
    service_account: str | None
    project: str | None = None
    location: str | None = None
    network: str | None = None
    encryption_key: str | None = None
    endpoint: str | None = None
    namespace: str | None = None
    experiment: str | None = None
    schedule: SubmitSchedule | None
    backbones: tuple[Copy, ...]


def build_submit_file(
    config: Config,
    deploy: DeployConfig,
    target: Target,
    parameters: list[Parameter],
    backbones: tuple[Copy, ...],
) -> SubmitFile:
    """Gathers it.

    Args:
        config: The user's config.
        deploy: Its `deploy`.
        target: A platform.
        parameters: With their defaults.
        backbones: What a submission has to copy.
    """
    own = deploy.vertex.model_dump() if target == "vertex" else deploy.kubeflow.model_dump()
    own.pop("image_pull_secrets", None)
    return SubmitFile(
        target=target,
        name=platform_name(config.name),
        image=deploy.image,
        pipeline_root=deploy.pipeline_root.rstrip("/"),
        parameters={one.name: one.default for one in parameters},
        limits={one.name: one.limits for one in parameters},
        labels=deploy.labels,
        service_account=deploy.service_account,
        schedule=deploy.schedule and _schedule(deploy.schedule, target),
        backbones=backbones,
        **own,
    )


def _schedule(schedule: Schedule, target: Target) -> SubmitSchedule:
    zone = f"TZ={schedule.timezone} " if schedule.timezone and target == "vertex" else ""
    return SubmitSchedule(
        cron=zone + schedule.cron,
        max_concurrent_runs=schedule.max_concurrent_runs,
        start_time=schedule.start_time,
        end_time=schedule.end_time,
    )


def platform_name(name: str) -> str:
    """Both platforms take no underscores in the name of a pipeline."""
    return name.replace("_", "-").rstrip("-")


def submit_path(spec: Path) -> Path:
    """Where the submit file of a spec is."""
    return spec.with_name(spec.name + SUFFIX)
