"""Compiles a config into a spec that a platform runs, and the submit file beside it."""

import json
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as tfx_runner

from pipeline.config import Config
from pipeline.dag import build_pipeline
from pipeline.deploy_config import DeployConfig, Target
from pipeline.kubeflow import spec as specs
from pipeline.kubeflow.artifact_types import check_artifact_types
from pipeline.kubeflow.parameters import Parameter, find_parameters, with_thresholds
from pipeline.kubeflow.platform_spec import build_platform_spec
from pipeline.kubeflow.reach import address_of
from pipeline.kubeflow.submit_file import (
    Copy,
    SubmitFile,
    build_submit_file,
    platform_name,
    submit_path,
)
from pipeline.kubeflow.values import with_values
from pipeline.kubeflow_task import COMMAND
from pipeline.kubeflow_task.places import is_private
from pipeline.place import backbones_place
from preprocessing.config import EmbeddedFeature
from preprocessing.errors import UsageError, explain
from trainer.backbones.record import Backbone
from trainer.backbones.vendor import vendor


def compile_pipeline(
    config: Config,
    deploy: DeployConfig,
    target: Target,
    output: Path,
    values: Mapping[str, str] | None = None,
    rebaseline: bool = False,
) -> SubmitFile:
    """Writes a spec and its submit file.

    Args:
        config: The user's config, paths resolved.
        deploy: What `checks.check_deploy` gave.
        target: A platform.
        output: The spec: JSON of a PipelineJob for Vertex AI, YAML for Kubeflow.
        values: Other defaults of parameters, as they stand on a command line.
        rebaseline: Whether the gate sets the last blessed model aside.

    Returns:
        What the submit file holds.

    Raises:
        UsageError: If a parameter, a backbone or a file is not right.
    """
    config = with_thresholds(config)
    parameters = with_values(find_parameters(config), values or {})
    backbones, copies = _vendor(config, deploy, target)
    documents = build_spec(config, deploy, target, backbones, parameters, rebaseline)
    submit = build_submit_file(config, deploy, target, parameters, copies)
    if target == "vertex":
        text = json.dumps(documents[0], indent=1, sort_keys=True) + "\n"
    else:
        text = yaml.safe_dump_all(documents, sort_keys=True)
    write(output, text)
    write(submit_path(output), submit.model_dump_json(indent=1) + "\n")
    return submit


def build_spec(
    config: Config,
    deploy: DeployConfig,
    target: Target,
    backbones: Mapping[str, Backbone],
    parameters: Sequence[Parameter],
    rebaseline: bool = False,
) -> list[specs.Spec]:
    """Builds what is written.

    Args:
        config: With the thresholds that apply.
        deploy: What `checks.check_deploy` gave.
        target: A platform.
        backbones: Of each feature, with the path that tasks find.
        parameters: With their defaults.
        rebaseline: Whether the gate sets the last blessed model aside.

    Returns:
        For Vertex AI a PipelineJob; for Kubeflow a PipelineSpec, and after it a
        PlatformSpec where there is something to say in it.
    """
    config = _for_tasks(config)
    built = build_pipeline(config, backbones, cache=True, rebaseline=rebaseline, target=target)
    check_artifact_types(built.components)
    job = _compile(built, config, deploy)
    spec = job["pipelineSpec"]
    spec["defaultPipelineRoot"] = deploy.pipeline_root.rstrip("/")
    specs.add_parameters(spec, parameters)
    specs.add_environment(spec, deploy)
    specs.add_machines(spec, deploy, target)
    specs.set_caching(spec, target)
    specs.name_run(spec, target)
    if target == "vertex":
        job["labels"] = {**job.get("labels", {}), **deploy.labels}
        job["runtimeConfig"]["parameterValues"] = {one.name: one.default for one in parameters}
        return [job]
    specs.drop_drivers(spec)
    if is_private(deploy.pipeline_root):
        specs.declare_raw_examples(spec)
    platform = build_platform_spec(spec, deploy)
    return [spec, *([platform] if platform else [])]


def _for_tasks(config: Config) -> Config:
    """Leaves out what a run says, or what is this machine's alone."""
    # Nobody elsewhere needs to know this machine's folders.
    changed: dict[str, Any] = {"workdir": ".graft", "local_workdir": None}
    if config.data.window:
        # The parameter `span` says it; where that is empty, it is the newest.
        spans = config.data.window.model_copy(update={"to": None})
        changed["data"] = config.data.model_copy(update={"spans": spans})
    return config.model_copy(update=changed)


def _vendor(
    config: Config, deploy: DeployConfig, target: Target
) -> tuple[dict[str, Backbone], tuple[Copy, ...]]:
    """Vendors as a run does; says where tasks find the backbones, and what must be copied there."""
    place = backbones_place(deploy) or ""
    found, copies = {}, {}
    for name, feature in config.features.items():
        if isinstance(feature, EmbeddedFeature):
            store = config.local_folder / "backbones"
            local = vendor(feature.backbone, store, config.base, feature.kind)
            there = posixpath.join(place, posixpath.basename(local.path))
            found[name] = local.model_copy(update={"path": there})
            address = address_of(there, target)
            if address:
                copies[there] = Copy(source=local.path, target=address, digest=local.digest)
    return found, tuple(copies.values())


def _compile(built: Any, config: Config, deploy: DeployConfig) -> dict[str, Any]:
    built.pipeline_info.pipeline_name = platform_name(config.name)
    runner = tfx_runner.KubeflowV2DagRunner(
        config=tfx_runner.KubeflowV2DagRunnerConfig(
            default_image=deploy.image,
            default_commands=list(COMMAND),
            use_pipeline_spec_2_1=True,
        )
    )
    return runner.run(built, write_out=False)


def write(path: Path, text: str) -> None:
    """Writes a file, and the folder around it where there is none.

    Raises:
        UsageError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"The file cannot be written: {error.strerror}"
        raise UsageError(explain(what, str(path))) from None
