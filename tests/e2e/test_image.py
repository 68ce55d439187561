"""Builds the image as a user does, where podman is; the demo runs in it to a pushed model."""

import json
import os
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

NAME = "localhost/graft-test"

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap, which makes the base, wants root"),
]


@pytest.fixture(scope="module")
def podman():
    """Runs podman as deploy/containers.conf says, and has built the image by it."""
    environ = {
        **os.environ,
        "CONTAINER": "podman",
        "CONTAINERS_CONF": str(ROOT / "deploy" / "containers.conf"),
    }
    subprocess.run([ROOT / "deploy" / "image.sh", NAME], env=environ, check=True)

    def run(*arguments):
        return subprocess.run(
            ["podman", *arguments], env=environ, capture_output=True, text=True, check=True
        ).stdout

    yield run
    run("image", "rm", "--force", NAME)


def test_the_demo_runs_in_a_container_without_a_network_to_a_pushed_model(podman):
    said = podman("run", "--rm", "--network", "none", NAME, "graft", "demo", "--json")
    summary = json.loads(said)
    assert summary["blessed"] is True
    assert summary["pushed"]
    assert summary["stack"]["tfx"].startswith("1.21")
