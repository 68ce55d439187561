"""What a target refuses, found before anything is compiled.

A new rule is a function here that yields messages in the form of `explain`, and
its line in `CHECKS`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from pipeline.config import Config
from pipeline.deploy_config import DeployConfig, Target
from pipeline.kubeflow_task.places import is_private
from pipeline.place import backbones_place
from preprocessing.errors import ConfigError, explain

Breaches = Iterator[str]

SEE = "docs/deploy.md"
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
_MOUNTED = {"vertex": ("/gcs/",), "kubeflow": ()}


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


def check_paths(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """All that tasks read and write is where they can."""
    for key, path in _paths(config, deploy):
        if path is not None and not _can_reach(path, deploy, target):
            yield explain(f"{key}: {_cannot(path, target)}", path, _reachable(deploy, target), SEE)


def _paths(config: Config, deploy: DeployConfig) -> Iterator[tuple[str, str | None]]:
    """Every key that names a file or folder of tasks; a new one is a line here."""
    source = config.data.source.path
    splits = source.items() if isinstance(source, dict) else [("", source)]
    for split, path in splits:
        yield f"data.source.path{'.' * bool(split)}{split}", path
    yield "push.path", config.push.path if config.push else None
    yield "predict.source.path", str(config.predict.source.path) if config.predict else None
    yield "cache.features", config.cache.features
    yield "cache.spans", config.cache.spans
    yield "deploy.backbones", deploy.backbones
    workers = getattr(config.beam, "workers", None)
    for key, block in (("beam", config.beam), ("beam.workers", workers)):
        for file in ("jar", "setup_file"):
            yield f"{key}.{file}", getattr(block, file, None)


def check_dataflow(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """What jobs read and write is where Dataflow's workers see it: they mount nothing."""
    if config.beam.kind != "dataflow":
        return
    bare, valid = deploy.model_copy(update={"volumes": ()}), ["gs://BUCKET/…"]
    for key, path in _paths(config, deploy):
        if path is None or not key.startswith(("data.", "predict.", "cache.", "deploy.")):
            continue
        if _can_reach(path, deploy, target) and not _can_reach(path, bare, "kubeflow"):
            what = f"{key}: Dataflow's workers do not see what is mounted in tasks"
            yield explain(what, path, valid, SEE)
    if is_private(deploy.pipeline_root):
        what = "deploy.pipeline_root: Dataflow's workers reach gs:// alone"
        yield explain(what, deploy.pipeline_root, valid, SEE)


def check_backbones(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """Backbones have a place that tasks read."""
    if backbones_place(deploy) is None:
        what = (
            "deploy.backbones is missing: TensorFlow cannot read them from such a pipeline_root by "
            "itself"
        )
        yield explain(what, deploy.pipeline_root, _reachable(deploy, target), SEE)


def check_raw_examples(config: Config, deploy: DeployConfig, target: Target) -> Breaches:
    """Fine-tuning reads pictures of an artifact that is no input of its task."""
    if config.train.mode == "fine_tune" and is_private(deploy.pipeline_root):
        what = (
            "train.mode: fine_tune reads raw examples by their address, which needs a "
            "deploy.pipeline_root that TensorFlow reads by itself"
        )
        yield explain(what, deploy.pipeline_root, ["gs://BUCKET/FOLDER"], SEE)


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


def _can_reach(path: str, deploy: DeployConfig, target: Target) -> bool:
    folders = [*deploy.image_paths, *(one.mount for one in deploy.volumes), *_MOUNTED[target]]
    if not path.startswith("/"):
        return path.startswith("gs://")
    return any(PurePosixPath(path).is_relative_to(PurePosixPath(folder)) for folder in folders)


def _cannot(path: str, target: Target) -> str:
    if "://" in path:
        return "TensorFlow reads and writes no such address"
    return f"tasks on {target} do not see this folder"


def _reachable(deploy: DeployConfig, target: Target) -> list[str]:
    places = ["gs://BUCKET/…", *(f"{one}BUCKET/…" for one in _MOUNTED[target])]
    places += [f"{one.mount}/…" for one in deploy.volumes]
    places += [f"{one}/…" for one in deploy.image_paths]
    return [*places, "a path below one of deploy.image_paths or deploy.volumes"]


CHECKS: tuple[Callable[[Config, DeployConfig, Target], Breaches], ...] = (
    check_image,
    check_root,
    check_paths,
    check_dataflow,
    check_backbones,
    check_raw_examples,
    check_memory,
    check_validator,
    check_platform,
    check_machines,
)
