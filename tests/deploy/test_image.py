"""What `make image` asks of docker or podman, and what it says where it cannot; neither is here."""

import shutil
import subprocess

import pytest

from tests.conftest import ROOT


@pytest.fixture
def build(tmp_path):
    """Builds with tools of the test's own, shell scripts by name; gives exit code, said, asked."""

    def build(tools, **environ):
        for name, script in {"dirname": f'{shutil.which("dirname")} "$@"', **tools}.items():
            (tmp_path / name).write_text(f'#!/bin/sh\nasked="{tmp_path}/asked"\n{script}\n')
            (tmp_path / name).chmod(0o755)
        done = subprocess.run(
            [shutil.which("bash"), ROOT / "deploy" / "image.sh", "graft:1"],
            env={"PATH": str(tmp_path), **environ},
            capture_output=True,
            text=True,
        )
        asked = tmp_path / "asked"
        return done.returncode, done.stderr, asked.read_text() if asked.exists() else ""

    return build


@pytest.mark.parametrize(
    ("environ", "tools"), [({}, "docker podman"), ({"CONTAINER": "dcoker"}, "dcoker")]
)
def test_without_docker_and_podman_it_says_what_was_tried(environ, tools, build):
    code, said, _ = build({"docker": "exit 1"}, **environ)
    assert (code, said) == (
        2,
        f"image: does not work here: {tools}; on Debian: apt-get install podman runc\n",
    )


def test_a_base_that_cannot_be_had_is_named_with_what_to_do(build):
    code, said, _ = build({"docker": '[ "$1" = info ]'})
    assert (code, said) == (
        2,
        "image: docker.io/library/debian:trixie-slim cannot be had. "
        "Set BASE_IMAGE to a Debian 13 that can,\n"
        "  or as root: apt-get install debootstrap, and one is made from Debian's packages\n",
    )


def test_the_first_that_works_builds_on_the_base_that_is_asked_for(build):
    podman = 'echo "$@" >> "$asked"'
    options = {"BASE_IMAGE": "trixie", "BUILD_OPTIONS": "--build-arg A=1"}
    code, said, asked = build({"docker": "exit 1", "podman": podman}, **options)
    assert (code, said) == (0, "")
    assert asked.splitlines()[-1] == (
        "build --network host --build-arg A=1 --build-arg BASE_IMAGE=trixie "
        "--tag graft:1 --file deploy/Dockerfile ."
    )
