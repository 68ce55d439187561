"""Memory does not grow with the number of pictures."""

import json
import os
import subprocess
import sys

import pytest

_RUN = """
import json, resource, sys
from tfx.types import standard_artifacts
from components.example_gen.component import RowExampleGen
from components.example_gen.config import DataConfig
from components.example_gen.executor import Executor
from preprocessing.config import ImageFeature

source = {"kind": "image_folder", "path": sys.argv[1]}
component = RowExampleGen(
    DataConfig.model_validate({"source": source}),
    {"image": ImageFeature(backbone="hub:x")},
    "label",
)
artifact = standard_artifacts.Examples()
artifact.uri = sys.argv[2]
args = ["--runner=FnApiRunner", "--sdk_container_image=unused"]
Executor(Executor.Context(beam_pipeline_args=args)).Do(
    {}, {"examples": [artifact]}, dict(component.exec_properties)
)
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
"""


@pytest.mark.slow
def test_four_times_the_pictures_take_no_more_memory(make_folder, picture, tmp_path):
    """600 MB against 150 MB of pictures; held in memory they could not hide."""
    encoded = picture(1, "PNG", size=(290, 290))
    peaks = []
    for count in (600, 2400):
        files = {f"{'ab'[n % 2]}/{n:05d}.png": encoded + n.to_bytes(4, "big") for n in range(count)}
        root = make_folder(files, f"pictures{count}")
        done = subprocess.run(
            [sys.executable, "-c", _RUN, str(root), str(tmp_path / f"out{count}")],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        peaks.append(json.loads(done.stdout.splitlines()[-1]))
    small, large = peaks
    assert large - small < 100, f"{small:.0f} MB for 600 pictures, {large:.0f} MB for 2,400"
