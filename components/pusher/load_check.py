"""Asks a new process whether a model can be loaded and answers; see loading.py."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.pusher.errors import PushError
from preprocessing.clean_process import Program, start

_PROGRAM = Path(__file__).with_name("loading.py")
_TIMEOUT_SECONDS = 1800


class Loaded(NamedTuple):
    """What became of it.

    Attributes:
        requests: Warm-up requests that were answered.
        seconds: To load it and answer them.
    """

    requests: int
    seconds: float


def check_loads(folder: Path) -> Loaded:
    """Loads a model in a new process, without a GPU, and answers its warm-up requests.

    Args:
        folder: A SavedModel.

    Raises:
        PushError: If it cannot be loaded, or a request is not answered with
            finite numbers.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report, said = Path(scratch) / "report.json", Path(scratch) / "said"
        program = Program(
            _PROGRAM,
            [str(folder.resolve()), str(report)],
            Path(scratch),
            said,
            {"CUDA_VISIBLE_DEVICES": "-1"},
        )
        with start(program) as process:
            try:
                process.wait(_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                raise PushError(_explain(f"not done in {_TIMEOUT_SECONDS} s")) from None
            finally:
                process.kill()
        if not report.exists():
            last = _last_lines(said)
            raise PushError(_explain(f"the process ended with {process.returncode}", last))
        outcome = json.loads(report.read_text(encoding="utf-8"))
    if "error" in outcome:
        raise PushError(_explain(outcome["error"]))
    return Loaded(outcome["requests"], outcome["seconds"])


def _last_lines(file: Path) -> Sequence[str]:
    return file.read_text(errors="replace").strip().splitlines()[-5:] if file.exists() else ()


def _explain(reason: str, said: Sequence[str] = ()) -> str:
    lines = "".join(f"\n    {line}" for line in said)
    return (
        f"The model does not load as a server loads it: {reason}{lines}\n"
        "  Nothing was pushed; what was serving before still is."
    )
