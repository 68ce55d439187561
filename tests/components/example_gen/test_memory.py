"""Memory does not grow with the number of pictures."""

import json
import os
import subprocess
import sys

import pytest

_RUN = """
import json, sys
from tfx.types import standard_artifacts
from components.example_gen.component import RowExampleGen
from components.example_gen.config import DataConfig
from components.example_gen.executor import Executor
from preprocessing.config import ImageFeature, LabelConfig

source = {"kind": "image_folder", "path": sys.argv[1]}
component = RowExampleGen(
    DataConfig.model_validate({"source": source}),
    {"image": ImageFeature(backbone="hub:x")},
    LabelConfig(),
)
artifact = standard_artifacts.Examples()
artifact.uri = sys.argv[2]
args = ["--runner=FnApiRunner", "--sdk_container_image=unused"]
Executor(Executor.Context(beam_pipeline_args=args)).Do(
    {}, {"examples": [artifact]}, dict(component.exec_properties)
)
# Not getrusage: its peak includes that of the process that started this one.
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM"))
print(json.dumps(int(peak.split()[1]) / 1024))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux's /proc")
def test_four_times_the_pictures_take_no_more_memory(picture, tmp_path):
    """300 MB of pictures against 75 MB; held in memory they could not hide."""
    encoded = picture(1, "PNG", size=(290, 290))
    peaks = []
    for count in (300, 1200):
        root = tmp_path / f"pictures{count}"
        for label in "ab":
            (root / label).mkdir(parents=True)
        for number in range(count):
            path = root / "ab"[number % 2] / f"{number:05d}.png"
            path.write_bytes(encoded + number.to_bytes(4, "big"))
        done = subprocess.run(
            [sys.executable, "-c", _RUN, str(root), str(tmp_path / f"out{count}")],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        peaks.append(json.loads(done.stdout.splitlines()[-1]))
    small, large = peaks
    assert large - small < 60, f"{small:.0f} MB for 300 pictures, {large:.0f} MB for 1,200"
