"""Makes the exports of one model and judges each by itself; needs no TFX."""

import json
import posixpath
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
from absl import logging

from components.exporter.answers import read_answers
from components.exporter.config import ExportConfig, Format
from components.exporter.errors import ExportError
from components.exporter.figures import METRICS
from components.exporter.formats import FORMATS
from components.exporter.judge import Judge
from components.exporter.material import Material, prepare
from components.exporter.report import Export, ExportReport, Measured
from components.exporter.saved_model import SavedModel, percentiles
from preprocessing import progress
from preprocessing.config import TextFeature
from preprocessing.model_info import ModelInfo, read_model_info

# Beside each model: class names in the order of the probabilities, one a line,
# and what its inputs are.
LABELS = "labels.txt"
INPUTS = "inputs.json"
UNCHECKED = "not run, as export.check is false"


class Task(NamedTuple):
    """What making one format needs to know.

    Attributes:
        config: What is asked for.
        info: What the model takes and gives.
        material: What it is made from.
        judge: What it is held against; None where nothing is run.
        inputs: Of the model, as INPUTS has them.
    """

    config: ExportConfig
    info: ModelInfo
    material: Material
    judge: Judge | None
    inputs: dict[str, dict]


def make_exports(
    model: str, splits: Mapping[str, str], folder: str, config: ExportConfig
) -> ExportReport:
    """Makes every format that is asked for.

    A format that cannot be made, or loses too much, leaves no files.

    Args:
        model: Folder of the SavedModel.
        splits: Folder of the examples of `train` and `eval`.
        folder: Where the exports go, each into a folder of its format's name.
        config: What is asked for.

    Returns:
        What became of each.
    """
    info = read_model_info(model)
    if info.has_texts:
        import tensorflow_text  # noqa: F401  (the model needs its ops)
    metric = METRICS[info.label.task]
    saved = SavedModel(model)
    if not saved.takes_tensors:
        return refuse_all(config, _why_not(info), metric.name, Measured(bytes=saved.bytes))
    with tempfile.TemporaryDirectory(prefix="graft-exports-") as place:
        material = prepare(saved, splits, Path(place), config)
        judge = None
        if material.outputs is not None and material.labels is not None:
            limits = info.label.threshold, config.max_accuracy_loss
            judge = Judge(metric, material.outputs, material.labels, *limits)
        task = Task(config, info, material, judge, _describe_inputs(saved, info))
        exports = []
        for done, name in enumerate(config.formats):
            progress.report("Exporter", done, len(config.formats), "formats")
            exports.append(_make(name, task, Path(place) / "exports" / name, folder))
        progress.report("Exporter", len(exports), len(exports), "formats")
        return ExportReport(
            metric=metric.name,
            examples=len(judge.labels) if judge else 0,
            saved_model=Measured(
                bytes=saved.bytes,
                value=judge.reference if judge else None,
                latency=material.latency,
            ),
            exports=tuple(exports),
        )


def refuse_all(
    config: ExportConfig, reason: str, metric: str, saved_model: Measured
) -> ExportReport:
    """Reports that no format can be made."""
    exports = tuple(Export(format=one, state="refused", reason=reason) for one in config.formats)
    return ExportReport(metric=metric, examples=0, saved_model=saved_model, exports=exports)


def _make(name: Format, task: Task, staged: Path, folder: str) -> Export:
    """Makes one format, judges it, and keeps it if it may be used."""
    staged.mkdir(parents=True)
    export = Export(format=name, state="refused")
    try:
        FORMATS[name].convert(task.material, staged, task.config.timeout_seconds)
        sizes = [one.stat().st_size for one in staged.rglob("*") if one.is_file()]
        export = export.model_copy(update={"bytes": sum(sizes)})
        export = _judge(export, task, staged)
    except ExportError as error:
        export = export.model_copy(update={"reason": str(error)})
    except Exception:  # One that is a defect of ours must not stop what is pushed beside it.
        logging.exception("The export %s failed", name)
        reason = "an error that was not foreseen; the log has it"
        export = export.model_copy(update={"reason": reason})
    if export.state == "refused":
        logging.warning("The export %s is refused: %s", name, export.reason)
        return export
    if task.info.classes:
        (staged / LABELS).write_text("\n".join(task.info.classes) + "\n", encoding="utf-8")
    (staged / INPUTS).write_text(json.dumps(task.inputs, indent=2) + "\n", encoding="utf-8")
    return export.model_copy(update={"files": _keep(staged, posixpath.join(folder, name))})


def _judge(export: Export, task: Task, staged: Path) -> Export:
    if task.judge is None or task.material.tensors is None:
        return export.model_copy(update={"state": "made", "reason": UNCHECKED})
    answers_file = staged.with_name(f"{export.format}.json")
    kind = FORMATS[export.format]  # type: ignore[index]
    kind.run(staged, task.material.tensors, answers_file, task.config.timeout_seconds)
    answers = read_answers(answers_file)
    verdict = task.judge.compare(answers, kind.tolerance)
    return export.model_copy(
        update={
            "state": "refused" if verdict.refusal else "made",
            "reason": verdict.refusal,
            "value": verdict.value,
            "difference": verdict.difference,
            "largest_difference": verdict.largest_difference,
            "latency": percentiles(answers.milliseconds),
            "runtime": answers.runtime,
        }
    )


def _keep(staged: Path, target: str) -> tuple[str, ...]:
    """Copies an export to where it stays; gives its files from there on."""
    kept = []
    for path in sorted(one for one in staged.rglob("*") if one.is_file()):
        name = path.relative_to(staged).as_posix()
        copy = posixpath.join(target, name)
        tf.io.gfile.makedirs(posixpath.dirname(copy))
        tf.io.gfile.copy(str(path), copy, overwrite=True)
        kept.append(posixpath.join(posixpath.basename(target), name))
    return tuple(kept)


def _describe_inputs(saved: SavedModel, info: ModelInfo) -> dict[str, dict]:
    """Says of each input its type, its shape, and of a picture its size and range."""
    described = {}
    for name, spec in saved.inputs.items():
        what = {"dtype": spec.dtype.name, "shape": [None, *spec.shape[1:]]}
        if name in info.images:
            what["picture"] = info.images[name].model_dump()
        described[name] = what
    return described


def _why_not(info: ModelInfo) -> str:
    """Why a model has no signature without strings."""
    texts = [name for name, one in info.features.items() if isinstance(one, TextFeature)]
    if not texts:
        return "the model was trained before exports were asked for: run again"
    names = ", ".join(texts)
    return f"a backbone takes strings itself ({names}), and an export can only take their tokens"
