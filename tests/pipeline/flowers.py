"""A config that is right, from which tests make those that are not."""

from pathlib import Path

import pytest

from pipeline.config import Config, load_config
from preprocessing.errors import ConfigError

GOOD = """\
name: flowers
data:
  source: {kind: image_folder, path: pictures}
features:
  image: {kind: image, backbone: "hub:backbones/small"}
"""


def load(folder: Path, text: str, *overrides: str) -> Config:
    (folder / "flowers.yaml").write_text(text)
    return load_config(folder / "flowers.yaml", overrides)


def message(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *overrides)
    return str(caught.value)
