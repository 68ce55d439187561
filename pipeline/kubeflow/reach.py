"""Which files and folders the tasks of a target see, and whether the config names others."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from pipeline.config import Config
from pipeline.deploy_config import DeployConfig, Target
from pipeline.kubeflow_task.places import is_private
from pipeline.place import backbones_place
from preprocessing.errors import explain

SEE = "docs/deploy.md"
# Where a target mounts buckets by itself.
_MOUNTED = {"vertex": ("/gcs/",), "kubeflow": ()}


def check_paths(config: Config, deploy: DeployConfig, target: Target) -> Iterator[str]:
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


def check_dataflow(config: Config, deploy: DeployConfig, target: Target) -> Iterator[str]:
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


def check_backbones(config: Config, deploy: DeployConfig, target: Target) -> Iterator[str]:
    """Backbones have a place that tasks read."""
    if backbones_place(deploy) is None:
        what = (
            "deploy.backbones is missing: TensorFlow cannot read them from such a pipeline_root by "
            "itself"
        )
        yield explain(what, deploy.pipeline_root, _reachable(deploy, target), SEE)


def address_of(path: str, target: Target) -> str | None:
    """Says where others write what tasks find at a path.

    Args:
        path: Address, or folder of tasks.
        target: A platform.

    Returns:
        The bucket's address; None where the path is one of an image or a volume.
    """
    for folder in _MOUNTED[target]:
        if path.startswith(folder):
            return f"gs://{path.removeprefix(folder)}"
    return path if path.startswith("gs://") else None


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
