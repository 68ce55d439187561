"""What the command line must not import before it answers: these are what makes it slow."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "apache_beam",
    "google.protobuf",
    "keras",
    "matplotlib",
    "ml_metadata",
    "numpy",
    "pandas",
    "PIL",
    "sklearn",
    "tensorflow",
    "tensorflow_hub",
    "tensorflow_transform",
    "tf_keras",
    "tfx",
    "transformers",
}
COMMANDS = ("run", "cache", "scout", "runs", "compile", "submit", "serve", "predict", "rollback")
CONFIG = """name: fruit
data: {source: {kind: image_folder, path: pictures}}
features: {image: {kind: image, backbone: "hub:backbone"}}
train: {epochz: 3}
"""


def imported_by(*arguments, cwd):
    """What is in `sys.modules` after a command, with its exit code."""
    code = (
        "import json, sys\n"
        "from pipeline.cli import main\n"
        f"code = main({arguments!r})\n"
        "print('\\n' + json.dumps([code, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "graft.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [(), *((one,) for one in COMMANDS)],
)
def test_help_is_given_without_anything_heavy_and_without_the_config_s_records(command, folder):
    code, modules = imported_by(*command, "--help", cwd=folder)
    assert code == 0
    assert not modules & (HEAVY | {"pydantic", "yaml", "rich"})


def test_a_mistake_in_the_config_is_found_without_anything_heavy(folder):
    code, modules = imported_by("run", "graft.yaml", cwd=folder)
    assert code == 2
    assert not modules & HEAVY
