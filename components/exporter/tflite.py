"""TensorFlow Lite: one file that the interpreter on a phone or a small board runs.

The work is done by tflite_child.py in a process of its own.
"""

from pathlib import Path

from components.exporter.material import Material
from components.exporter.process import run_module

MODEL = "model.tflite"
_CHILD = "components.exporter.tflite_child"


def convert(kind: str, material: Material, target: Path, timeout: int) -> None:
    """Writes the model in a format that is called `kind`; see formats.py."""
    arguments = (kind, material.sample, target / MODEL)
    run_module(_CHILD, "convert", material.one, *arguments, timeout=timeout)


def run(target: Path, tensors: Path, answers: Path, timeout: int) -> None:
    """Runs the model on examples with the interpreter; see formats.py."""
    run_module(_CHILD, "run", target / MODEL, tensors, answers, timeout=timeout)
