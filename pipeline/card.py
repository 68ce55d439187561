"""From a run's artifacts to its model card; components/model_card says what stands there.

A new fact is a field of components/model_card/card.Card, gathered here and shown
by components/model_card/markdown.py.
"""

import datetime
import json
import posixpath
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import tensorflow as tf

from components.exporter import report as export_report
from components.gate.results import Evaluation, read_evaluation, read_report
from components.model_card.card import (
    Card,
    CardClass,
    CardData,
    CardFeature,
    CardSlice,
    CardSpan,
    CardTraining,
)
from components.model_card.limits import find_limits
from components.serving_validator import report as serving_report
from pipeline.config import Config
from preprocessing.config import Feature, Record
from preprocessing.model_info import read_model_info
from trainer.backbones.record import Backbone
from trainer.run import HISTORY_FILE, NOTES_FILE

_PACKAGES = ("graft-tfx", "tfx", "tensorflow", "tensorflow-transform", "tensorflow-hub")


class CardConfig(Record):
    """What the card must know of a run beside its artifacts; crosses TFX as JSON."""

    config: dict[str, Any]
    digest: str
    fingerprint: str | None
    backbones: dict[str, dict[str, str]]


def card_config(
    config: Config, backbones: Mapping[str, Backbone], fingerprint: str | None
) -> CardConfig:
    """Gathers it.

    Args:
        config: The user's config, paths resolved.
        backbones: The vendored backbone of each feature.
        fingerprint: Of the data; None where TFX keeps its own.
    """
    return CardConfig(
        config=config.model_dump(mode="json", by_alias=True),
        digest=config.digest,
        fingerprint=fingerprint,
        backbones={
            name: {"handle": one.handle, "digest": one.digest} for name, one in backbones.items()
        },
    )


def describe(given: str, folders: Mapping[str, str], run_id: str) -> Card:
    """Gathers what is known of a model.

    Args:
        given: A `CardConfig` as JSON.
        folders: Of the artifacts, by the keys of ModelCardSpec.INPUTS.
        run_id: The run that made it.

    Returns:
        The card.
    """
    known = CardConfig.model_validate_json(given)
    config = Config.model_validate(known.config)
    model = posixpath.join(folders["model"], "Format-Serving")
    info = read_model_info(model)
    evaluations = {
        split: read_evaluation(folders[key], info.classes)
        for split, key in (("eval", "evaluation"), ("test", "test_evaluation"))
        if key in folders
    }
    gate = read_report(folders["evaluation"])
    data = _data(known, config, folders)
    metrics = {split: one.metrics for split, one in evaluations.items()}
    by_class = {split: _classes(one) for split, one in evaluations.items() if one.classes}
    stated = config.model_card
    return Card(
        name=config.name,
        task=config.label.task,
        run_id=run_id,
        made=f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        versions={name: metadata.version(name) for name in _PACKAGES},
        config_digest=known.digest,
        stated=stated,
        classes=info.classes,
        features=tuple(_feature(name, one, known) for name, one in info.features.items()),
        data=data,
        training=_training(config, folders["model_run"]),
        metrics=metrics,
        by_class=by_class,
        slices={split: _slices(one) for split, one in evaluations.items() if one.slices},
        blessed=gate.blessed,
        thresholds=gate.reasons,
        baseline=evaluations["eval"].baseline,
        serving=_serving(folders),
        exports=_exports(folders),
        limits=(*stated.limits, *find_limits(data, metrics, by_class)),
    )


def _feature(name: str, feature: Feature, known: CardConfig) -> CardFeature:
    stated = known.config["model_card"]["backbone_licences"]
    backbone = known.backbones.get(name, {})
    return CardFeature(
        name=name,
        kind=feature.kind,
        handle=backbone.get("handle"),
        digest=backbone.get("digest"),
        licence=stated.get(name),
        missing=feature.missing,
    )


def _data(known: CardConfig, config: Config, folders: Mapping[str, str]) -> CardData:
    ingest = _read_json(folders["examples"], "ingest.json", {})
    embedded = _read_json(folders["embeddings"], "embedder.json", {})
    source = config.data.source
    paths = [source.path] if isinstance(source.path, str) else list(source.path.values())
    # A folder of this machine says nothing elsewhere, and perhaps too much.
    names = ", ".join(dict.fromkeys(posixpath.basename(path.rstrip("/")) for path in paths))
    return CardData(
        source=f"{source.kind}: {names}",
        fingerprint=known.fingerprint,
        examples=ingest["examples"],
        classes=ingest.get("classes", {}),
        quarantined=ingest["quarantined"],
        missing=ingest.get("missing", {}),
        truncated={
            name: splits
            for name, splits in embedded.get("truncated", {}).items()
            if any(splits.values())
        },
        notes=ingest["notes"],
        spans=tuple(
            CardSpan(**{key: one[key] for key in CardSpan.model_fields})
            for one in ingest.get("spans", ())
        ),
    )


def _training(config: Config, model_run: str) -> CardTraining:
    history = _read_json(model_run, HISTORY_FILE, {})
    unused = set() if config.train.mode == "fine_tune" else {"fine_tune"}
    unused |= set() if config.train.views else {"augment"}
    return CardTraining(
        settings=config.train.model_dump(mode="json", exclude=unused, exclude_none=True),
        epochs=max((len(values) for values in history.values()), default=0),
        notes=_read_json(model_run, NOTES_FILE, []),
    )


def _classes(evaluation: Evaluation) -> tuple[CardClass, ...]:
    return tuple(CardClass(**one.model_dump()) for one in evaluation.classes)


def _slices(evaluation: Evaluation) -> tuple[CardSlice, ...]:
    return tuple(CardSlice(slice=one.slice, metrics=one.metrics) for one in evaluation.slices)


def _serving(folders: Mapping[str, str]) -> dict[str, str]:
    """What the ServingValidator says; nothing where TFX's own one judged."""
    found = _read_json(folders.get("infra_blessing", ""), serving_report.REPORT_FILE, None)
    if found is None:
        return {}
    report = serving_report.ServingReport.model_validate(found)
    rows = {"Verdict": "; ".join(report.reasons)}
    for one in report.latency:
        rows[f"Latency, batch {one.batch}"] = f"p50 {one.p50_ms:.1f} ms, p95 {one.p95_ms:.1f} ms"
    if report.text_ops:
        rows["Needs TF-Text for"] = ", ".join(report.text_ops)
    return rows


def _exports(folders: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    found = _read_json(folders.get("exports", ""), export_report.REPORT_FILE, None)
    if found is None:
        return ()
    report = export_report.ExportReport.model_validate(found)
    return tuple(
        {
            "Format": one.format,
            "State": f"{one.state}: {one.reason}" if one.reason else one.state,
            "Bytes": f"{one.bytes:,}",
            report.metric: "-" if one.value is None else f"{one.value:.4f}",
            "Difference": "-" if one.difference is None else f"{one.difference:+.4f}",
            "Latency": "-" if one.latency is None else f"p50 {one.latency.p50:.1f} ms",
        }
        for one in report.exports
    )


def _read_json(folder: str, name: str, default: Any) -> Any:
    path = posixpath.join(folder, name)
    if not tf.io.gfile.exists(path):
        return default
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)
