"""What a target refuses, found before anything is compiled.

A new rule is a function here that yields messages in the form of `explain`, and
its line in `CHECKS`.
"""

import re
from collections.abc import Callable, Iterator

from pipeline.config import Config
from pipeline.deploy_config import DeployConfig, Target
from pipeline.engines.portable import PortableEngine
from pipeline.kubeflow.reach import SEE, check_backbones, check_dataflow, check_paths
from pipeline.kubeflow_task.places import is_private
from preprocessing.errors import ConfigError, explain

Breaches = Iterator[str]

_IMAGE = re.compile(
    r"([a-z0-9]+([._-][a-z0-9]+)*(:\d+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*"
    r"(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
# Images that anybody can have, and that hold nothing of ours.
_STOCK = re.compile(
    r"(docker\.io/)?(library/)?(python|debian|ubuntu|alpine|busybox|tensorflow/[\w-]+)"
    r"|gcr\.io/tfx-oss-public/tfx"
    r"|([a-z]+-docker\.pkg\.dev|gcr\.io)/(vertex-ai|deeplearning-platform-release)/.+"
)
_ROOTS = {"vertex": ("gs://",), "kubeflow": ("gs://", "s3://", "minio://")}
_THIS_MACHINE = re.compile(r"(\w+://)?(localhost:|127\.)")


def check_deploy(config: Config, target: Target) -> DeployConfig:
    """Applies every rule.

    Args:
        config: The user's config, paths resolved.
        target: A platform.

    Returns:
        `config.deploy`.

    Raises:
        ConfigError: With everything that the target would refuse.
    """
    if config.deploy is None:
        what = "deploy is missing: it says in which image the pipeline runs and where its files go"
        raise ConfigError(explain(what, "nothing", ["deploy: {image: …, pipeline_root: …}"], SEE))
    found = [breach for check in CHECKS for breach in check(config, config.deploy, target)]
    if found:
        raise ConfigError("\n\n".join(found))
    return config.deploy


def check_image(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """The image can hold our packages; whether it does is what building it tries."""
    name = re.sub(r"(:[\w.-]+)?(@sha256:\w+)?$", "", deploy.image)
    if not _IMAGE.fullmatch(deploy.image):
        valid = ["europe-docker.pkg.dev/acme/ml/graft:1.4"]
        yield explain("deploy.image is no name of an image", deploy.image, valid, SEE)
    elif _STOCK.fullmatch(name):
        what = (
            "deploy.image is a stock image, which has none of Graft's packages: its first task "
            "would end with ModuleNotFoundError"
        )
        yield explain(what, deploy.image, ["an image made by `make image`"], SEE)


def check_root(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """Artifacts go where the platform and all tasks write."""
    valid = _ROOTS[target]
    if not re.match(rf"({'|'.join(valid)})[a-z0-9]", deploy.pipeline_root):
        what = f"deploy.pipeline_root is no place where {target} keeps artifacts"
        yield explain(what, deploy.pipeline_root, [f"{one}BUCKET/FOLDER" for one in valid], SEE)


def check_memory(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """Blessed models are remembered where the next run finds them."""
    if config.push is None and is_private(deploy.pipeline_root):
        what = (
            "push is missing: in such a deploy.pipeline_root a run finds nothing of another one's, "
            "and the last blessed model is remembered beside the pushed ones"
        )
        yield explain(what, deploy.pipeline_root, ["gs://BUCKET/FOLDER", "push: {path: …}"], SEE)


def check_validator(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """TFX does not compile its InfraValidator."""
    if config.validation.validator == "infra_validator":
        what = f"validate.validator: TFX cannot compile its InfraValidator for {target}"
        yield explain(what, "infra_validator", ["graft", "none"], SEE)


def check_platform(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """Nothing is asked that the platform has no place for."""
    if target == "vertex":
        secret = "Vertex AI gives tasks no secrets by reference; let service_account read them"
        for key, value, what in (
            ("secrets", deploy.secrets, secret),
            ("volumes", deploy.volumes, "Vertex AI mounts buckets alone, at /gcs/BUCKET"),
        ):
            if value:
                yield explain(f"deploy.{key}: {what}", [one.model_dump() for one in value])
    elif deploy.schedule and deploy.schedule.timezone not in (None, "UTC"):
        what = "deploy.schedule.timezone: schedules of Kubeflow are in its server's time"
        yield explain(what, deploy.schedule.timezone, ["null"], SEE)


def check_machines(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """Vertex knows accelerators by names of its own."""
    for name, machine in deploy.machines.items():
        kind = machine.accelerator.type if machine.accelerator else None
        if kind and target == "vertex" and not re.fullmatch(r"[A-Z][A-Z0-9_]+", kind):
            what = f"deploy.machines.{name}.accelerator.type is no accelerator of Vertex AI"
            yield explain(what, kind, ["NVIDIA_TESLA_T4", "NVIDIA_L4", "NVIDIA_TESLA_A100"], SEE)


def check_beam(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """Flink's and Spark's servers and workers are where tasks, and what they make, are reached."""
    engine = config.beam
    if not isinstance(engine, PortableEngine):
        return
    for key, where in (("job_endpoint", engine.job_endpoint), ("master", engine.master)):
        if where and _THIS_MACHINE.match(where):
            what = f"beam.{key}: nothing is at this address in the container of a task"
            yield explain(what, where, ["an address that the platform's containers reach"], SEE)
    if engine.workers.kind != "loopback" and is_private(deploy.pipeline_root):
        what = (
            "beam.workers.kind: such workers are outside of the task, and what is in such a "
            "deploy.pipeline_root is copied to the task alone"
        )
        yield explain(what, engine.workers.kind, ["loopback"], SEE)


CHECKS: tuple[Callable[[Config, DeployConfig, Target], Breaches], ...] = (
    check_image,
    check_root,
    check_paths,
    check_dataflow,
    check_backbones,
    check_memory,
    check_validator,
    check_platform,
    check_machines,
    check_beam,
)
