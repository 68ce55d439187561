"""What TFMA is asked to compute for each task; what is demanded of it is verdict.py's.

A new metric gets its TFMA class here and its name in config.py.
"""

import functools
import hashlib
import json
from pathlib import Path

import numpy as np

# TFMA's top level offers these messages on one stack and not on the other.
from tensorflow_model_analysis.proto import config_pb2

from components.gate.config import EvaluateConfig, metrics_of, thresholds_of
from components.gate.spread import SUFFIX
from components.gate.sums import SUMS
from preprocessing.config import LabelConfig

LABELS_SIGNATURE = "transformed_labels"
CANDIDATE = "candidate"
BASELINE = "baseline"
CONFUSION = "confusion"
LABELS = "labels"
RELIABILITY = "reliability"

_FIGURE = "Figure"
_MODULES = {_FIGURE: "components.gate.figures", "Spread": "components.gate.spread"}
# Whose code decides what these two give.
_FILES = ("figures.py", "intervals.py", "spread.py", "sums.py")

# TFMA's class of each metric; the same names as in config.METRICS. None is Keras's:
# TFMA calls those through AutoGraph, which takes half of a small evaluation to
# translate them.
_CLASSES = {
    "accuracy": _FIGURE,
    "auc": "AUC",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1Score",
    "mae": "MeanAbsoluteError",
    "mse": "MeanSquaredError",
    "loss": _FIGURE,
    "rmse": _FIGURE,
    "r2": _FIGURE,
    "ece": _FIGURE,
    LABELS: _FIGURE,
    RELIABILITY: _FIGURE,
}
# What looks at one probability at a time, and needs to be told which.
_ONE_BY_ONE = ("auc", "precision", "recall", "f1")


def build_eval_config(
    config: EvaluateConfig, label: LabelConfig, label_id: str, signature: str, *, gate: bool
) -> config_pb2.EvalConfig:
    """Says to TFMA what to compute.

    Args:
        config: Thresholds and slices.
        label: The task, and the probability from which a label is given.
        label_id: Key of the label among the model's transformed labels.
        signature: Signature that takes serialized examples.
        gate: Whether a baseline is compared, and what thresholds are on has
            its interval; False for splits that are only reported.

    Returns:
        The config for the Evaluator.
    """
    names = [CANDIDATE, BASELINE] if gate else [CANDIDATE]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                name=name,
                model_type="tf_generic",
                signature_name=signature,
                prediction_key="value" if label.task == "regression" else "probabilities",
                label_key=label_id,
                preprocessing_function_names=[LABELS_SIGNATURE],
                is_baseline=name == BASELINE,
            )
            for name in names
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=columns) for columns in config.slices),
        ],
        metrics_specs=_metrics_specs(config, label, gate),
    )


def of_answers(config: config_pb2.EvalConfig) -> config_pb2.EvalConfig:
    """Says the same of examples in which each model's answers stand; see answers.py."""
    changed = config_pb2.EvalConfig()
    changed.CopyFrom(config)
    del changed.model_specs[:]
    for spec in config.model_specs:
        changed.model_specs.add(
            name=spec.name,
            prediction_key=prediction_column(spec.name),
            label_key=label_column(spec.name),
            is_baseline=spec.is_baseline,
        )
    return changed


def prediction_column(model: str) -> str:
    """Where a model's predictions stand; no name that a user's column has."""
    return f"{model}/prediction"


def label_column(model: str) -> str:
    """Where the labels stand, as ids of that model's classes."""
    return f"{model}/label"


def _metrics_specs(
    config: EvaluateConfig, label: LabelConfig, gate: bool
) -> list[config_pb2.MetricsSpec]:
    """Two groups: what sees a whole example, and what sees one class of it at a time."""
    names = [metric.name for metric in metrics_of(config, label.task)]
    single = [name for name in names if name in _ONE_BY_ONE]
    whole = config_pb2.MetricsSpec(
        metrics=[
            config_pb2.MetricConfig(class_name="ExampleCount"),
            *(_metric(name, label) for name in names if name not in single),
        ]
    )
    if label.task == "multiclass":
        whole.metrics.add(
            class_name="MultiClassConfusionMatrixAtThresholds",
            config=json.dumps({"name": CONFUSION, "thresholds": [0.0]}),
        )
    if label.task == "multilabel":
        whole.metrics.append(_metric(LABELS, label))
    if label.task != "regression":
        whole.metrics.append(_metric(RELIABILITY, label))
    if gate and config.confidence is not None:
        judged = {*thresholds_of(config, label.task), *(config.slice_thresholds or {})}
        for name in names:
            if name in judged and name in SUMS:
                settings = {"name": name + SUFFIX, "confidence": config.confidence}
                whole.metrics.append(_ours("Spread", settings, label))
    if not single:
        return [whole]
    each = config_pb2.MetricsSpec(metrics=[_metric(name, label) for name in single])
    if label.task == "binary":
        each.binarize.class_ids.values.append(1)
        each.metrics.add(
            class_name="ConfusionMatrixAtThresholds",
            config=json.dumps({"name": CONFUSION, "thresholds": [_above(label.threshold)]}),
        )
    else:
        each.aggregate.micro_average = True
    return [whole, each]


def _metric(name: str, label: LabelConfig) -> config_pb2.MetricConfig:
    kind = _CLASSES[name]
    settings: dict[str, object] = {"name": name}
    if name in ("precision", "recall", "f1"):
        settings["thresholds"] = _above(label.threshold)
    if kind != _FIGURE:
        return config_pb2.MetricConfig(class_name=kind, config=json.dumps(settings))
    return _ours(kind, settings, label)


def _ours(kind: str, settings: dict[str, object], label: LabelConfig) -> config_pb2.MetricConfig:
    rule = {"task": label.task, "threshold": label.threshold, "code": _digest()}
    return config_pb2.MetricConfig(
        class_name=kind, module=_MODULES[kind], config=json.dumps(settings | rule)
    )


def _above(threshold: float) -> float:
    """What TFMA's `>` must be given to mean the `>=` of the served model, in float32."""
    return float(np.nextafter(np.float32(threshold), np.float32(0)))


@functools.cache
def _digest() -> str:
    code = b"".join(Path(__file__).with_name(name).read_bytes() for name in _FILES)
    return hashlib.sha256(code).hexdigest()[:16]
