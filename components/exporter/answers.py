"""What an export said of each example and how long it took, as a child leaves it.

JSON: `{"outputs": [[…], …], "milliseconds": […], "runtime": "…"}`; Node writes it too.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Answers(NamedTuple):
    """What running an export gave.

    Attributes:
        outputs: `[examples, …]` float32.
        milliseconds: Of each call.
        runtime: What it ran with.
    """

    outputs: np.ndarray
    milliseconds: list[float]
    runtime: str


def write_answers(
    path: Path, outputs: np.ndarray, milliseconds: Sequence[float], runtime: str = ""
) -> None:
    """Writes them."""
    content = {
        "outputs": outputs.tolist(),
        "milliseconds": list(milliseconds),
        "runtime": runtime,
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def read_answers(path: Path) -> Answers:
    """Reads what `write_answers` or Node wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    # JSON has no NaN of its own: Node writes null, which stands for one here.
    outputs = np.array(content["outputs"], np.float32)
    return Answers(outputs, content["milliseconds"], content["runtime"])
