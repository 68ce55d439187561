"""Asks a new process whether a model can be loaded and answers; see loading.py."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.pusher.errors import PushError

_PROGRAM = Path(__file__).with_name("loading.py")
_TIMEOUT_SECONDS = 1800


class Loaded(NamedTuple):
    """What became of it.

    Attributes:
        requests: Warm-up requests that were answered.
        seconds: From the first import to the last answer.
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
    # Nothing of ours and of the user's site reaches it; no warning is read by anybody.
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-I", str(_PROGRAM), str(folder.resolve()), str(report)]
        said = Path(scratch) / "stderr"
        # It ends when its standard input does, so with us, however we end.
        with (
            said.open("wb") as stderr,
            subprocess.Popen(
                command,
                env=environment,
                cwd=scratch,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            ) as process,
        ):
            try:
                process.wait(_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                raise PushError(_explain(f"not done in {_TIMEOUT_SECONDS} s")) from None
            finally:
                process.kill()
        if not report.exists():
            last = said.read_text(errors="replace").strip().splitlines()[-5:]
            raise PushError(_explain(f"the process ended with {process.returncode}", last))
        outcome = json.loads(report.read_text(encoding="utf-8"))
    if "error" in outcome:
        raise PushError(_explain(outcome["error"]))
    return Loaded(outcome["requests"], outcome["seconds"])


def _explain(reason: str, said: Sequence[str] = ()) -> str:
    lines = "".join(f"\n    {line}" for line in said)
    return (
        f"The model does not load as a server loads it: {reason}{lines}\n"
        "  Nothing was pushed; what was serving before still is."
    )
