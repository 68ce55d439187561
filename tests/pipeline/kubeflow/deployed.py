"""A config that both platforms take, from which tests make those that they refuse."""

from pathlib import Path

import pytest

from pipeline.config import Config, load_config
from pipeline.kubeflow.checks import check_deploy
from preprocessing.errors import ConfigError

GOOD = """\
name: flowers
data:
  source: {kind: image_folder, path: "gs://acme/flowers"}
features:
  image: {kind: image, backbone: "hub:backbone"}
evaluate:
  thresholds: {accuracy: {min: 0.85, no_worse_than_baseline_by: 0.01}}
push: {path: "gs://acme/serving/flowers"}
deploy:
  image: europe-docker.pkg.dev/acme/ml/graft:1.4
  pipeline_root: gs://acme/pipelines
"""


def load(folder: Path, *overrides: str) -> Config:
    path = folder / "flowers.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return load_config(path, overrides, must_exist=False)


def refused(folder: Path, target: str, *overrides: str) -> str:
    """What a target says against the config with these changes."""
    config = load(folder, *overrides)
    with pytest.raises(ConfigError) as caught:
        check_deploy(config, target)
    return str(caught.value)
