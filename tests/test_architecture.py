"""Imports point one way, configuration is light, and only the command line talks."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "serving", "components", "trainer", "preprocessing")
MODULES = sorted(
    path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
)
LIGHT = (
    "pipeline.config",
    "pipeline.deploy_config",
    "pipeline.kubeflow.checks",
    "pipeline.kubeflow.submit_file",
    "components.gate.config",
    "pipeline.json_schema",
    "pipeline.summary",
    "pipeline.doctor",
    "components.example_gen.config",
    "components.exporter.config",
    "components.exporter.report",
    "components.exporter.tfjs",
    "components.pusher.config",
    "components.serving_validator.config",
    "components.pusher.manifest",
    "components.pusher.rollback",
    "trainer.config",
    "trainer.backbones.handles",
    "trainer.backbones.record",
    "preprocessing.config",
    "preprocessing.errors",
    "preprocessing.progress",
)
HEAVY = ("tensorflow", "tfx", "apache_beam", "tf_keras", "keras", "tensorflow_hub")

# The command line and what it draws with.
TALKERS = {
    "pipeline/cli.py",
    "pipeline/commands/as_json.py",
    "pipeline/commands/schema.py",
    "pipeline/kubeflow/command.py",
    "pipeline/submit/command.py",
    "pipeline/kubeflow_task/__main__.py",
    "pipeline/session.py",
    "pipeline/terminal.py",
    "pipeline/progress_display.py",
    "pipeline/render.py",
    "serving/commands/predict.py",
    "serving/commands/rollback.py",
    "serving/commands/serve.py",
}


def test_imports_point_one_way():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_configuration_imports_no_tensorflow():
    code = f"import importlib, sys\nfor name in {LIGHT}: importlib.import_module(name)\n"
    code += f"print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_every_module_says_what_lives_in_it(path):
    assert ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [path for path in MODULES if str(path) not in TALKERS], ids=str)
def test_only_the_command_line_writes_to_the_terminal(path):
    names = {"print", "input", "stdout", "stderr", "__stdout__", "__stderr__", "echo", "Console"}
    used = [
        f"line {node.lineno}: {name}"
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if (name := _written_through(node)) in names
    ]
    assert used == []


def _written_through(node: ast.AST) -> str | None:
    """The print, the stream of sys or the console that a node stands for."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id in ("sys", "click") else None
    return None
