"""Tries one model from beginning to end; needs no TFX."""

import json
import posixpath
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from components.serving_validator import judge
from components.serving_validator.config import ValidateConfig
from components.serving_validator.examples import SHARED, Trial, choose_evenly
from components.serving_validator.ops import check_ops, pick_version, read_ops, read_stock_ops
from components.serving_validator.process import CHILD, run
from components.serving_validator.report import ServingReport
from preprocessing.clean_process import Program
from preprocessing.kinds import raw_columns
from preprocessing.model_info import ModelInfo, read_model_info

OURS = ("preprocessing", "trainer", "components", "serving", "pipeline")
# For a signature other than serving_default: what it does to an example that it has
# parsed is the same, and each example is a pass through the backbones.
_SOME = 64
_NO_MODEL = "it is no SavedModel: its saved_model.pb is not there or cannot be read"


def validate(
    model: str,
    trial: Trial,
    config: ValidateConfig,
    hidden: Sequence[str] = (),
    child: Path = CHILD,
) -> ServingReport:
    """Tries a model in a process of its own, from a copy.

    Args:
        model: Folder of the SavedModel.
        trial: Examples, and what the training path says of them.
        config: What is demanded.
        hidden: Folders that the process shall not be able to read: where the
            model and all that it was made of lie.
        child: The program that tries it; is given the path of its request.

    Returns:
        The verdict, each of its reasons, and the figures. Whatever is wrong
        with the model is a reason.
    """
    version = config.tf_serving or pick_version(tf.__version__)
    with tempfile.TemporaryDirectory(prefix="graft-serving-") as name:
        scratch = Path(name).resolve()
        size_mb = _copy(model, scratch / "model") / 1e6
        report = {"size_mb": round(size_mb, 3), "tf_serving": version}
        verdicts = judge.judge_size(size_mb, config)
        try:
            ops = check_ops(read_ops(scratch / "model"), read_stock_ops(version))
        except (OSError, DecodeError):
            return _conclude([*verdicts, judge.Verdict(False, _NO_MODEL)], report)
        report |= {"ops": ops.all, "text_ops": ops.text}
        verdicts += judge.judge_ops(ops, version)
        if not trial.serialized:
            said = "the Trainer left no answers to any of the eval examples to compare with"
            return _conclude([*verdicts, judge.Verdict(False, said)], report)
        info = read_model_info(model)
        rows = _choose(len(trial.serialized), config)
        hideable = _hideable(hidden, scratch)
        _write_request(scratch, trial, rows, info, config, bool(ops.text), hideable)
        request = str(scratch / "request.json")
        program = Program(child, [request], scratch / "empty", scratch / "log.txt")
        ended = run(program, scratch / "stage", config.timeout_seconds)
        if ended.failure:
            said = f"the process that tried it {ended.failure}"
            return _conclude([*verdicts, judge.Verdict(False, said)], report)
        result = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
        outputs = _read_outputs(scratch / "outputs")
    more, figures = _judge_result(result, outputs, trial, rows, info, config)
    return _conclude(verdicts + more, report | figures)


def _judge_result(
    result: Mapping[str, Any],
    outputs: Mapping[str, Mapping[str, np.ndarray]],
    trial: Trial,
    rows: Sequence[int],
    info: ModelInfo,
    config: ValidateConfig,
) -> tuple[list[judge.Verdict], dict[str, Any]]:
    """Judges what the process saw."""
    verdicts = judge.judge_result(result, OURS)
    figures: dict[str, Any] = {"original_hidden": result["hidden"]}
    if verdicts:
        return verdicts, figures
    verdicts += judge.judge_signatures(result["signatures"], config)
    parities = []
    some = {k: v if k == SHARED else v[rows] for k, v in trial.expected.items()}
    for name, given in outputs.items():
        # What is not finite differs from everything, which would say it twice.
        verdicts += (faults := judge.judge_finite(name, given))
        if not faults:
            said, parity = judge.judge_parity(
                name,
                given,
                trial.expected if name == judge.DEFAULT else some,
                info.label,
                config.tolerance,
            )
            verdicts += said
            parities += [parity] if parity else []
    said, latency = judge.judge_latency(result.get("latency", ()), config)
    verdicts += said
    figures |= {"parity": tuple(parities), "latency": latency}
    return verdicts, figures | {"load_seconds": round(result["load_seconds"], 2)}


def _conclude(verdicts: Sequence[judge.Verdict], figures: Mapping[str, Any]) -> ServingReport:
    blessed = all(one.passed for one in verdicts)
    return ServingReport(blessed=blessed, reasons=tuple(map(str, verdicts)), **figures)


def _copy(source: str, target: Path) -> int:
    """Copies a folder that may lie in a bucket, and returns its size in bytes."""
    size = 0
    for folder, _, files in tf.io.gfile.walk(source):
        place = target / posixpath.relpath(folder, source)
        place.mkdir(parents=True, exist_ok=True)
        for name in files:
            tf.io.gfile.copy(posixpath.join(folder, name), str(place / name))
            size += (place / name).stat().st_size
    return size


def _hideable(hidden: Sequence[str], scratch: Path) -> list[str]:
    """Those that are folders here and do not hold what the process itself needs."""
    needed = [scratch, Path(sys.executable).resolve(), Path(np.__file__), Path(__file__)]
    folders = [Path(one).resolve() for one in hidden if "://" not in one and Path(one).is_dir()]
    return [str(one) for one in folders if not any(need.is_relative_to(one) for need in needed)]


def _choose(count: int, config: ValidateConfig) -> list[int]:
    """Rows of the examples that signatures other than `serving_default` are tried on."""
    return choose_evenly(count, count if config.examples is None else min(count, _SOME))


def _write_request(
    scratch: Path,
    trial: Trial,
    rows: Sequence[int],
    info: ModelInfo,
    config: ValidateConfig,
    text: bool,
    hidden: Sequence[str],
) -> None:
    for name in ("empty", "outputs"):
        (scratch / name).mkdir()
    with tf.io.TFRecordWriter(str(scratch / "examples")) as writer:
        for one in trial.serialized:
            writer.write(one)
    columns = {
        name: {"dtype": one.dtype.name, "default": _text(one.default_value)}
        for name, one in raw_columns(info.features).items()
    }
    request = {
        "model": str(scratch / "model"),
        "examples": str(scratch / "examples"),
        "rows": list(rows),
        "columns": columns,
        "batch_sizes": config.batch_sizes,
        "text": text,
        "hidden": hidden,
        "stage": str(scratch / "stage"),
        "result": str(scratch / "result.json"),
        "outputs": str(scratch / "outputs"),
    }
    (scratch / "request.json").write_text(json.dumps(request), encoding="utf-8")


def _text(default: Any) -> Any:
    """JSON has no bytes."""
    return default.decode() if isinstance(default, bytes) else default


def _read_outputs(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    outputs = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            outputs[path.stem] = dict(arrays)
    return outputs
