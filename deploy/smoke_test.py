"""What an image must be able to do before it is called one; deploy/Dockerfile runs it.

Everything that a task on Kubeflow or Vertex AI starts with, as the user and with
the environment that tasks have. A failed step fails the build.
"""

import os
import subprocess
import sys

# What a compiled task's command line starts: ours, and TFX's own.
ENTRY_POINTS = (
    "pipeline.kubeflow_task.run",
    "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor",
)
IMPORTED = ("pipeline.local", "trainer.run", "tensorflow_hub", "tensorflow_text", "kfp")

STEPS = (
    ("graft", "--version"),
    ("graft", "doctor"),
    (sys.executable, "-c", f"import {', '.join((*IMPORTED, *ENTRY_POINTS))}"),
    # TFX's Beam executors package TFX like this when they start.
    (
        sys.executable,
        "-c",
        "from tfx.utils import dependency_utils; dependency_utils.build_ephemeral_package()",
    ),
)


def main() -> int:
    """Runs every step; returns 1 at the first that fails."""
    if os.geteuid() == 0:
        sys.stderr.write("the image runs as root\n")
        return 1
    for step in STEPS:
        sys.stdout.write(f"$ {' '.join(step)}\n")
        sys.stdout.flush()
        if subprocess.run(step, check=False).returncode != 0:
            sys.stderr.write("failed; the reason is above\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
