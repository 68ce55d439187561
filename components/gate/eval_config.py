"""From our thresholds to TFMA's: what is computed for each task, and what is demanded.

A new metric gets its TFMA class here and its name in config.py.
"""

import functools
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from google.protobuf import wrappers_pb2

# TFMA's top level offers these messages on one stack and not on the other.
from tensorflow_model_analysis.proto import config_pb2

from components.gate.config import METRICS, EvaluateConfig, Threshold, metrics_of, thresholds_of
from preprocessing.config import LabelConfig, Task

CANDIDATE = "candidate"
BASELINE = "baseline"
CONFUSION = "confusion"
LABELS = "labels"

_FIGURE = "Figure"
_FIGURES_MODULE = "components.gate.figures"

# TFMA's class of each metric; the same names as in config.METRICS.
_CLASSES = {
    "auc": "AUC",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1Score",
    "mae": "MeanAbsoluteError",
    "mse": "MeanSquaredError",
    "loss": _FIGURE,
    "rmse": _FIGURE,
    "r2": _FIGURE,
    LABELS: _FIGURE,
}
_ACCURACY: dict[Task, str] = {
    "multiclass": "SparseCategoricalAccuracy",
    "binary": "BinaryAccuracy",
    "multilabel": "BinaryAccuracy",
}
# What looks at one probability at a time, and needs to be told which.
_ONE_BY_ONE = ("auc", "precision", "recall", "f1", "accuracy")


def build_eval_config(
    config: EvaluateConfig, label: LabelConfig, label_id: str, signature: str, *, gate: bool
) -> config_pb2.EvalConfig:
    """Says to TFMA what to compute and what to demand.

    Args:
        config: Thresholds and slices.
        label: The task, and the probability from which a label is given.
        label_id: Key of the label among the model's transformed labels.
        signature: Signature that takes serialized examples.
        gate: Whether the thresholds apply and a baseline is compared; False
            for splits that are only reported.

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
                preprocessing_function_names=["transformed_labels"],
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


def _metrics_specs(
    config: EvaluateConfig, label: LabelConfig, gate: bool
) -> list[config_pb2.MetricsSpec]:
    """Two groups: what sees a whole example, and what sees one class of it at a time."""
    names = [metric.name for metric in metrics_of(config, label.task)]
    single = [
        name
        for name in names
        if name in _ONE_BY_ONE and (label.task, name) != ("multiclass", "accuracy")
    ]
    thresholds = thresholds_of(config, label.task) if gate else {}

    def metric(name: str) -> config_pb2.MetricConfig:
        built = _metric(name, label)
        if name in thresholds:
            # Of the whole split: a plain threshold would apply to every slice.
            built.per_slice_thresholds.add(
                slicing_specs=[config_pb2.SlicingSpec()],
                threshold=_threshold(name, thresholds[name]),  # type: ignore[index]
            )
        return built

    whole = config_pb2.MetricsSpec(
        metrics=[
            config_pb2.MetricConfig(class_name="ExampleCount"),
            *(metric(name) for name in names if name not in single),
        ]
    )
    if label.task == "multiclass":
        whole.metrics.add(
            class_name="MultiClassConfusionMatrixAtThresholds",
            config=json.dumps({"name": CONFUSION, "thresholds": [0.0]}),
        )
    if label.task == "multilabel":
        whole.metrics.append(_metric(LABELS, label))
    if not single:
        return [whole]
    each = config_pb2.MetricsSpec(metrics=[metric(name) for name in single])
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
    kind = _ACCURACY[label.task] if name == "accuracy" else _CLASSES[name]
    settings: dict[str, object] = {"name": name}
    if kind == "BinaryAccuracy":
        settings["threshold"] = _above(label.threshold)
    if name in ("precision", "recall", "f1"):
        settings["thresholds"] = _above(label.threshold)
    if kind != _FIGURE:
        return config_pb2.MetricConfig(class_name=kind, config=json.dumps(settings))
    settings |= {"threshold": label.threshold, "code": _figures_digest()}
    return config_pb2.MetricConfig(
        class_name=kind, module=_FIGURES_MODULE, config=json.dumps(settings)
    )


def _above(threshold: float) -> float:
    """What TFMA's `>` must be given to mean the `>=` of the served model, in float32."""
    return float(np.nextafter(np.float32(threshold), np.float32(0)))


@functools.cache
def _figures_digest() -> str:
    file = Path(__file__).with_name(f"{_FIGURES_MODULE.rpartition('.')[2]}.py")
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _threshold(name: str, threshold: Threshold) -> config_pb2.MetricThreshold:
    """Translates one threshold.

    An absolute bound is always there: TFMA drops the comparison while there
    is no baseline, and blesses nothing where no threshold is left.
    """
    metric = METRICS[name]
    lowest = max(metric.smallest, -sys.float_info.max)
    lower = threshold.min if threshold.min is not None else lowest
    bounds = config_pb2.GenericValueThreshold(lower_bound=wrappers_pb2.DoubleValue(value=lower))
    if threshold.max is not None:
        bounds.upper_bound.value = threshold.max
    result = config_pb2.MetricThreshold(value_threshold=bounds)
    if threshold.no_worse_than_baseline_by is not None:
        allowed = threshold.no_worse_than_baseline_by
        change = result.change_threshold
        limit = change.relative if metric.relative else change.absolute
        limit.SetInParent()
        limit.value = -allowed if metric.higher_is_better else allowed
        change.direction = (
            config_pb2.MetricDirection.HIGHER_IS_BETTER
            if metric.higher_is_better
            else config_pb2.MetricDirection.LOWER_IS_BETTER
        )
    return result
