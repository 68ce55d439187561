"""Builds the image as a user does, where podman is; the demo and a compiled spec run in it."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.spec_runner.containers import in_containers
from tests.spec_runner.demo import answers, write_small_demo
from tests.spec_runner.kubeflow import Kubeflow
from tests.spec_runner.runner import run_spec
from tests.spec_runner.spec import read_spec

NAME = "localhost/graft-test"
PODMAN = ("env", f"CONTAINERS_CONF={ROOT / 'deploy' / 'containers.conf'}", "podman")
PIPELINE_ROOT = "minio://graft-test/root"

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap, which makes the base, wants root"),
]


@pytest.fixture(scope="module")
def podman():
    """Runs podman as deploy/containers.conf says, and has built the image by it."""
    command = [*PODMAN[:-1], "CONTAINER=podman", ROOT / "deploy" / "image.sh", NAME]
    subprocess.run(command, check=True)

    def run(*arguments):
        return subprocess.run(
            [*PODMAN, *arguments], capture_output=True, text=True, check=True
        ).stdout

    yield run
    run("image", "rm", "--force", NAME)


def test_the_demo_runs_in_a_container_without_a_network_to_a_pushed_model(podman):
    said = podman("run", "--rm", "--network", "none", NAME, "graft", "demo", "--json")
    summary = json.loads(said)
    assert summary["blessed"] is True
    assert summary["pushed"]
    assert summary["stack"]["tfx"].startswith("1.21")


def test_kubeflows_spec_runs_in_containers_to_the_model_of_a_run_in_one(podman, graft, tmp_path):
    demo = write_small_demo(tmp_path / "demo", PIPELINE_ROOT, epochs=12)
    mount = f"--volume={tmp_path}:{tmp_path}"
    podman("run", "--rm", "--network=none", "--user=0", mount, NAME, "graft", "run", str(demo))
    spec = tmp_path / "digits.yaml"
    pushed = demo.parent / "pushed"
    done = graft(
        "compile",
        demo,
        "--target",
        "kubeflow",
        "-o",
        spec,
        "--set",
        f"push.path={pushed}",
        cwd=demo.parent,
    )
    assert done.code == 0, done.err
    call = in_containers(PODMAN, NAME, tmp_path)
    run_spec(read_spec(spec), Kubeflow(PIPELINE_ROOT, tmp_path / "tasks", call))
    np.testing.assert_allclose(
        answers(pushed, demo.parent),
        answers(demo.parent / "serving" / "digits", demo.parent),
        atol=1e-6,
    )
