"""From what a run left behind to its summary.

A new figure is a field of summary.Summary, read here and shown by render.py.
"""

import json
import posixpath
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.example_gen.outcome import QUARANTINE
from components.example_gen.unlabelled_executor import SPLIT
from components.exporter.report import REPORT_FILE as EXPORT_REPORT
from components.gate.results import read_evaluation, read_report
from components.pusher.manifest import HELD_BACK, read_manifest
from components.serving_validator.report import REPORT_FILE, ServingReport
from pipeline.component_events import ComponentEvents
from pipeline.config import Config
from pipeline.dag import EXAMPLES
from pipeline.delivery import EXPORTER, GATE, INFRA_VALIDATOR, PUSHER, TEST, VALIDATOR
from pipeline.lineage import Lineage
from pipeline.predictions import PREDICTIONS, ROWS
from pipeline.summary import (
    BackboneUse,
    ComponentRun,
    PredictedRows,
    Pushed,
    Quarantined,
    SpanUse,
    Summary,
)
from pipeline.training import TUNER
from preprocessing.label import LABEL_VOCABULARY
from trainer.backbones.record import Backbone
from trainer.run import HISTORY_FILE, NOTES_FILE
from trainer.tasks.registry import TASKS

_VERSIONS = ("tfx", "tensorflow", "tf-keras", "tensorflow-hub", "apache-beam", "graft-tfx")


def summarise(
    config: Config,
    backbones: Mapping[str, Backbone],
    events: ComponentEvents,
    run_id: str,
    log: Path,
    *,
    seconds: float,
) -> Summary:
    """Sums up a run that went through.

    Args:
        config: The user's config, paths resolved.
        backbones: The vendored backbone of each feature.
        events: What ran, and for how long.
        run_id: The run.
        log: Its log file.
        seconds: How long it took, all in all.

    Returns:
        The summary.
    """
    lineage = Lineage(config, run_id)
    model = posixpath.join(_uri(lineage, "Trainer", "model"), "Format-Serving")
    classes = _read_classes(config, lineage)
    gate_uri = _uri(lineage, GATE, "evaluation")
    evaluations = {"eval": read_evaluation(gate_uri, classes)}
    test_uri = lineage.uri(TEST, "evaluation")
    if test_uri:
        evaluations["test"] = read_evaluation(test_uri, classes)
    gate = read_report(gate_uri)
    serving = _read_serving(lineage)
    examples = _uri(lineage, EXAMPLES, "examples")
    ingest = _read_json(posixpath.join(examples, "ingest.json"))
    quarantine = _read_quarantine(examples)
    model_run = _uri(lineage, "Trainer", "model_run")
    embedded = _read_optional(_uri(lineage, "Embedder", "embeddings"), "embedder.json", {})
    computed = embedded if events.states.get("Embedder") == "run" else {}
    exports = lineage.uri(EXPORTER, "exports")
    return Summary(
        **_circumstances(config, events, run_id, log, seconds),
        examples=ingest["examples"],
        spans=_spans(ingest, events),
        quarantined=len(quarantine),
        quarantine=quarantine[:100],
        quarantine_file=posixpath.join(examples, "quarantine.jsonl") if quarantine else None,
        notes=ingest["notes"],
        missing=_nonzero(ingest.get("missing", {})),
        truncated=_nonzero(embedded.get("truncated", {})),
        vectors=computed.get("vectors", {}),
        vector_notes=tuple(computed.get("notes", ())),
        anomalies=_read_anomalies(_uri(lineage, "ExampleValidator", "anomalies")),
        backbones=tuple(
            BackboneUse(feature=name, handle=one.handle, digest=one.digest)
            for name, one in backbones.items()
        ),
        tuned=_read_tuned(lineage),
        history=_read_optional(model_run, HISTORY_FILE, {}),
        training_notes=tuple(_read_optional(model_run, NOTES_FILE, [])),
        metrics={split: one.metrics for split, one in evaluations.items()},
        classes={split: one.classes for split, one in evaluations.items()},
        confusions={split: one.confusions for split, one in evaluations.items()},
        slices={split: one.slices for split, one in evaluations.items() if one.slices},
        reliability={
            split: one.reliability for split, one in evaluations.items() if one.reliability
        },
        blessed=gate.blessed and (serving is None or serving.blessed),
        reasons=gate.reasons,
        gate=gate,
        serving=serving,
        baseline=str(gate.baseline),
        model=model,
        exports=_read_optional(exports, EXPORT_REPORT, None) if exports else None,
        pushed=_read_push(config, lineage),
        held_back=lineage.property(PUSHER, "pushed_model", HELD_BACK),
        predicted=_read_predicted(lineage),
        tensorboard=posixpath.join(model_run, "tensorboard"),
    )


def summarise_failure(
    config: Config,
    events: ComponentEvents,
    run_id: str,
    log: Path,
    *,
    seconds: float,
    error: BaseException,
) -> Summary:
    """Sums up a run that ended early; see `summarise`."""
    return Summary(
        **_circumstances(config, events, run_id, log, seconds),
        examples={},
        blessed=False,
        reasons=(),
        failure=str(error) or type(error).__name__,
    )


def _circumstances(
    config: Config, events: ComponentEvents, run_id: str, log: Path, seconds: float
) -> dict[str, Any]:
    """What can be said of every run, however it ended."""
    return {
        "run_id": run_id,
        "name": config.name,
        "task": config.label.task,
        "config_digest": config.digest,
        "stack": _read_versions(),
        "seconds": round(seconds, 1),
        "peak_memory_mb": events.memory.megabytes,
        "components": tuple(
            ComponentRun(
                name=name,
                seconds=round(took, 1),
                cpu_seconds=round(events.cpu_seconds[name], 1),
                state=events.states[name],
            )
            for name, took in events.seconds.items()
        ),
        "log": str(log),
    }


def _spans(ingest: dict[str, Any], events: ComponentEvents) -> tuple[SpanUse, ...]:
    """What ExampleGen took; where its output was taken over whole, it read nothing."""
    spans = [SpanUse(**one) for one in ingest.get("spans", ())]
    if events.states.get(EXAMPLES) != "run":
        spans = [one.model_copy(update={"state": "kept"}) for one in spans]
    return tuple(spans)


def _uri(lineage: Lineage, node: str, key: str) -> str:
    uri = lineage.uri(node, key)
    if uri is None:
        raise RuntimeError(f"{node} left no {key!r} in the metadata of this run")
    return uri


def _read_classes(config: Config, lineage: Lineage) -> list[str]:
    """Class names in the order of the model's outputs; none for numbers."""
    if config.label.task == "regression":
        return []
    graph = _uri(lineage, "Transform", "transform_graph")
    with tf.io.gfile.GFile(posixpath.join(graph, "transform_fn/assets", LABEL_VOCABULARY)) as file:
        vocabulary = file.read().splitlines()
    return TASKS[config.label.task].read_classes(vocabulary, config.label)


def _read_versions() -> dict[str, str]:
    versions = {"python": sys.version.split()[0]}
    return versions | {name: metadata.version(name) for name in _VERSIONS}


def _read_json(path: str) -> Any:
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)


def _read_optional(folder: str, name: str, default: Any) -> Any:
    path = posixpath.join(folder, name)
    return _read_json(path) if tf.io.gfile.exists(path) else default


def _read_tuned(lineage: Lineage) -> dict[str, Any]:
    uri = lineage.uri(TUNER, "best_hyperparameters")
    return _read_optional(uri, "best_hyperparameters.txt", {}).get("values", {}) if uri else {}


def _nonzero(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {name: splits for name, splits in counts.items() if any(splits.values())}


def _read_quarantine(examples: str) -> tuple[Quarantined, ...]:
    with tf.io.gfile.GFile(posixpath.join(examples, "quarantine.jsonl")) as file:
        # Not splitlines: a name may hold one of the other signs it splits at.
        records = [json.loads(line) for line in file]
    return tuple(
        Quarantined(source=one["source"], reason=one["reason"], split=one["split"] or "")
        for one in records
    )


def _read_anomalies(folder: str) -> tuple[str, ...]:
    found = []
    for path in sorted(tf.io.gfile.glob(posixpath.join(folder, "Split-*", "SchemaDiff.pb"))):
        with tf.io.gfile.GFile(path, "rb") as file:
            anomalies = anomalies_pb2.Anomalies.FromString(file.read())
        split = posixpath.basename(posixpath.dirname(path)).removeprefix("Split-")
        found += [
            f"{split}: {name}: {info.description}"
            for name, info in sorted(anomalies.anomaly_info.items())
        ]
    return tuple(found)


def _read_serving(lineage: Lineage) -> ServingReport | None:
    uri = lineage.uri(VALIDATOR, "blessing")
    if uri:
        return ServingReport.model_validate(_read_json(posixpath.join(uri, REPORT_FILE)))
    blessed = lineage.property(INFRA_VALIDATOR, "blessing", "blessed")
    if blessed is None:
        return None
    said = "TensorFlow Serving loads it and answers requests, says TFX's InfraValidator"
    reason = f"passed: {said}" if blessed else f"failed: not that {said}; its log says why"
    return ServingReport(validator="infra_validator", blessed=bool(blessed), reasons=(reason,))


def _read_predicted(lineage: Lineage) -> PredictedRows | None:
    """What BulkInferrer wrote; of a model that is not blessed it writes nothing."""
    uri, rows = lineage.uri(PREDICTIONS, "output_examples"), lineage.uri(ROWS, "examples")
    if uri is None or rows is None or not tf.io.gfile.glob(posixpath.join(uri, "Split-*")):
        return None
    ingest = _read_json(posixpath.join(rows, "ingest.json"))
    return PredictedRows(
        path=posixpath.join(uri, f"Split-{SPLIT}"),
        rows=ingest["examples"][SPLIT],
        quarantined=ingest["quarantined"],
        quarantine_file=posixpath.join(rows, QUARANTINE) if ingest["quarantined"] else None,
    )


def _read_push(config: Config, lineage: Lineage) -> Pushed | None:
    if not config.push or not lineage.property(PUSHER, "pushed_model", "pushed"):
        return None
    version = int(lineage.property(PUSHER, "pushed_model", "pushed_version"))
    manifest = read_manifest(posixpath.join(config.push.path, str(version)))
    if manifest is None:
        return Pushed(path=config.push.path, version=version)
    return Pushed(
        path=config.push.path,
        version=version,
        files=len(manifest.files),
        bytes=manifest.bytes,
        warmup_requests=manifest.warmup_requests,
        load_seconds=manifest.load_seconds,
    )
