"""Where the tasks of a pipeline run, and what they find there.

A target that finds things elsewhere is another function here and its line in `find_place`.
"""

import os
from typing import NamedTuple

from components.embedder.config import StoreSettings, write_settings
from components.embedder.store.usage import GIGABYTE
from pipeline.artifact_root import pipeline_root
from pipeline.blessed.places import blessed_folder
from pipeline.config import Config
from pipeline.deploy_config import DeployConfig, Target
from pipeline.kubeflow_task.places import is_private


class Place(NamedTuple):
    """What `build_pipeline` must know of it.

    Attributes:
        target: What runs the tasks.
        root: Folder or address of all artifacts.
        store: The Embedder's `store`: where vectors are kept.
        spans: Folder or address where spans that were read are kept; empty keeps none.
        checkpoints: Folder or address of the states of trainings; None keeps none.
        hidden: Folders that the ServingValidator's clean process must not read.
        blessed: Where blessed models are remembered; None where the platform does so.
    """

    target: Target
    root: str
    store: str
    spans: str
    checkpoints: str | None
    hidden: tuple[str, ...]
    blessed: str | None = None

    @property
    def here(self) -> bool:
        """Whether tasks see this machine's files, and this machine sees their data."""
        return self.target == "local"


def find_place(config: Config, target: Target, cache: bool) -> Place:
    """Finds what tasks find.

    Args:
        config: The user's config, paths resolved.
        target: What runs the tasks.
        cache: Whether finished work is taken over.
    """
    limit = config.cache.max_gb * GIGABYTE if cache else 0.0
    if target != "local":
        assert config.deploy is not None
        return _elsewhere(config, config.deploy, target, limit)
    root, folder = pipeline_root(config), config.local_folder
    kept = StoreSettings(path=config.feature_store, max_bytes=limit) if limit else StoreSettings()
    # All that a model could read by mistake: vocabularies, backbones, its own original.
    hidden = (root, str(folder / "backbones"))
    spans = config.cache.spans or os.path.join(config.workdir, "spans")
    return Place(
        target="local",
        root=root,
        store=str(write_settings(kept, folder)),
        spans=f"{spans}/{config.name}" if cache else "",
        checkpoints=str(folder / "checkpoints"),
        hidden=hidden,
    )


def _elsewhere(config: Config, deploy: DeployConfig, target: Target, limit: float) -> Place:
    """Keeps beside the artifacts what the working folder keeps locally, where tasks reach it."""
    root = deploy.pipeline_root.rstrip("/")
    beside = None if is_private(root) else root
    features = config.cache.features or (beside and f"{beside}/features")
    kept = StoreSettings(path=features or "", max_bytes=limit) if limit else StoreSettings()
    spans = config.cache.spans or (beside and f"{beside}/spans")
    folder = backbones_place(deploy)
    push = config.push.path if config.push else ""
    return Place(
        target=target,
        root=root,
        store=kept.model_dump_json(),
        spans=f"{spans}/{config.name}" if spans else "",
        checkpoints=f"{beside}/checkpoints" if beside else None,
        hidden=(folder,) if folder and folder.startswith("/") else (),
        blessed=blessed_folder(root, config.name, push) if target == "kubeflow" else None,
    )


def backbones_place(deploy: DeployConfig) -> str | None:
    """Where tasks find the vendored backbones; None where they have no place yet."""
    if deploy.backbones:
        return deploy.backbones.rstrip("/")
    root = deploy.pipeline_root.rstrip("/")
    return None if is_private(root) else f"{root}/backbones"
