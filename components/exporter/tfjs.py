"""TensorFlow.js: a graph model that a browser loads, model.json and files of weights.

Its converter and the packages that run it in Node lie in a folder of their own,
which `make tfjs` fills: what the converter asks for clashes with TFX. Imports no
TensorFlow.
"""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from components.exporter.errors import ExportError
from components.exporter.process import run as run_program
from components.exporter.process import run_module

if TYPE_CHECKING:
    from components.exporter.material import Material

_CHILD = "components.exporter.tfjs_child"
_RUN = Path(__file__).with_name("tfjs.js")


def folder_of_tools() -> Path:
    """Where `make tfjs` put what is needed."""
    given = os.environ.get("GRAFT_TFJS")
    return Path(given) if given else Path(__file__).resolve().parents[2] / ".tfjs"


def what_is_missing(*, check: bool) -> str:
    """Says what this machine lacks to make TensorFlow.js exports; empty if nothing.

    Args:
        check: Whether they are to be run too.
    """
    tools = folder_of_tools()
    if not (tools / "python" / "tensorflowjs").is_dir():
        return f"the converter is not in {tools}: run `make tfjs`"
    if not check:
        return ""
    if not shutil.which("node"):
        return (
            "Node.js is not on PATH, with which each export is run: install it (Debian, Ubuntu: "
            "apt-get install nodejs npm) and run `make tfjs`, or set export.check to false"
        )
    if not (tools / "node_modules" / "@tensorflow" / "tfjs").is_dir():
        return (
            f"@tensorflow/tfjs, with which each export is run, is not in {tools}: run "
            "`make tfjs`, or set export.check to false"
        )
    return ""


def convert(material: "Material", target: Path, timeout: int) -> None:
    """Writes the model; see formats.py."""
    _check_tools(check=False)
    paths = [folder_of_tools() / "python"]
    run_module(_CHILD, material.any, target, timeout=timeout, paths=paths)


def run(target: Path, tensors: Path, answers: Path, timeout: int) -> None:
    """Runs the model on examples in Node; see formats.py."""
    _check_tools(check=True)
    environ = {"NODE_PATH": str(folder_of_tools() / "node_modules")}
    run_program(["node", str(_RUN), str(target), str(tensors), str(answers)], timeout, environ)


def _check_tools(*, check: bool) -> None:
    """Raises ExportError where `what_is_missing` has something to say."""
    missing = what_is_missing(check=check)
    if missing:
        raise ExportError(missing)
