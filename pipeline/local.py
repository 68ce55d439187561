"""Runs a pipeline on this machine, in this process, and sums it up."""

import json
import posixpath
import resource
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import tensorflow as tf
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import pipeline
from tfx.orchestration.local import local_dag_runner
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from pipeline.component_events import ComponentEvents
from pipeline.config import Config
from pipeline.dag import EXAMPLES, GATE, TEST, build_pipeline
from pipeline.lineage import Lineage
from pipeline.outcome import read_evaluation, read_verdict
from pipeline.summary import BackboneUse, ComponentRun, Pushed, Quarantined, Summary, write_summary
from preprocessing.keras_mode import check_legacy_keras
from preprocessing.transform import LABEL_VOCABULARY
from trainer.backbones.record import Backbone
from trainer.backbones.vendor import vendor

_VENDOR = "Backbones"
# Costs nothing when nothing is new, and mends a serving folder that was lost.
_NEVER_CACHED = ("Pusher",)
_VERSIONS = ("tfx", "tensorflow", "tf-keras", "tensorflow-hub", "apache-beam", "graft-tfx")


def run(config: Config, *, cache: bool, run_id: str, log: Path) -> Summary:
    """Runs the pipeline from data to the pushed model.

    Args:
        config: The user's config, paths resolved.
        cache: Whether finished work with the same inputs is taken over.
        run_id: Names the run in the metadata, the log and the summary.
        log: The run's log file, for the summary.

    Returns:
        The summary, which also stands in `<workdir>/runs/<run_id>/summary.json`.

    Raises:
        GraftError: If the run fails for a reason that the user can mend.
    """
    check_legacy_keras()
    started = time.monotonic()
    # Beam parses this process's command line, which is ours and not its own.
    arguments, sys.argv = sys.argv, sys.argv[:1]
    try:
        with ComponentEvents() as events:
            events.begin(_VENDOR)
            backbones = {
                name: vendor(feature.backbone, Path(config.workdir) / "backbones", config.base)
                for name, feature in config.features.items()
            }
            events.end()
            built = build_pipeline(config, backbones, cache=cache)
            local_dag_runner.LocalDagRunner().run_with_ir(_compile(built, run_id))
    finally:
        sys.argv = arguments
    summary = _summarise(config, backbones, events, run_id, log, seconds=time.monotonic() - started)
    write_summary(summary, Path(config.workdir) / "runs" / run_id / "summary.json")
    return summary


def _compile(built: pipeline.Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    ir = compiler.Compiler().compile(built)
    for node in ir.nodes:
        if node.pipeline_node.node_info.id in _NEVER_CACHED:
            node.pipeline_node.execution_options.caching_options.enable_cache = False
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    return ir


def _summarise(
    config: Config,
    backbones: Mapping[str, Backbone],
    events: ComponentEvents,
    run_id: str,
    log: Path,
    *,
    seconds: float,
) -> Summary:
    lineage = Lineage(str(Path(config.workdir) / "metadata.sqlite"), run_id)
    model = posixpath.join(_uri(lineage, "Trainer", "model"), "Format-Serving")
    classes = _read_lines(posixpath.join(model, "assets", LABEL_VOCABULARY))
    gate_uri = _uri(lineage, GATE, "evaluation")
    evaluations = {"eval": read_evaluation(gate_uri, classes)}
    test_uri = lineage.uri(TEST, "evaluation")
    if test_uri:
        evaluations["test"] = read_evaluation(test_uri, classes)
    blessed, reasons = read_verdict(gate_uri, config.evaluate, evaluations["eval"])
    examples = _uri(lineage, EXAMPLES, "examples")
    quarantine = _read_quarantine(examples)
    return Summary(
        run_id=run_id,
        name=config.name,
        config_digest=config.digest,
        stack=_read_versions(),
        seconds=round(seconds, 1),
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        components=tuple(
            ComponentRun(name=name, seconds=round(took, 1), state=events.states[name])
            for name, took in events.seconds.items()
        ),
        examples=_count_examples(examples),
        quarantined=len(quarantine),
        quarantine=quarantine[:100],
        anomalies=_read_anomalies(_uri(lineage, "ExampleValidator", "anomalies")),
        backbones=tuple(
            BackboneUse(feature=name, handle=one.handle, digest=one.digest)
            for name, one in backbones.items()
        ),
        metrics={split: one.metrics for split, one in evaluations.items()},
        classes={split: one.classes for split, one in evaluations.items()},
        confusions={split: one.confusions for split, one in evaluations.items()},
        slices={split: one.slices for split, one in evaluations.items() if one.slices},
        blessed=blessed,
        reasons=reasons,
        baseline=_describe_baseline(lineage),
        model=model,
        pushed=_read_push(config, lineage),
        tensorboard=posixpath.join(_uri(lineage, "Trainer", "model_run"), "tensorboard"),
        log=str(log),
    )


def _uri(lineage: Lineage, node: str, key: str) -> str:
    uri = lineage.uri(node, key)
    if uri is None:
        raise RuntimeError(f"{node} left no {key!r} in the metadata of this run")
    return uri


def _read_lines(path: str) -> list[str]:
    with tf.io.gfile.GFile(path) as file:
        return file.read().splitlines()


def _read_versions() -> dict[str, str]:
    versions = {"python": sys.version.split()[0]}
    return versions | {name: metadata.version(name) for name in _VERSIONS}


def _count_examples(examples: str) -> dict[str, int]:
    with tf.io.gfile.GFile(posixpath.join(examples, "ingest.json")) as file:
        return json.load(file)["examples"]


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


def _describe_baseline(lineage: Lineage) -> str:
    uri = lineage.property(GATE, "blessing", "baseline_model")
    if uri:
        return f"compared with the last blessed model, {uri}"
    return "there is no blessed model yet, so only absolute thresholds count"


def _read_push(config: Config, lineage: Lineage) -> Pushed | None:
    if not config.push or not lineage.property("Pusher", "pushed_model", "pushed"):
        return None
    version = lineage.property("Pusher", "pushed_model", "pushed_version")
    return Pushed(path=config.push.path, version=int(version))
