"""From our thresholds to TFMA's, and from TFMA's results back to plain figures.

A new metric gets its TFMA class here and its name in evaluate_config.py.
"""

from google.protobuf import wrappers_pb2

# TFMA's top level offers these messages on one stack and not on the other.
from tensorflow_model_analysis.proto import config_pb2

from pipeline.evaluate_config import METRICS, EvaluateConfig, Threshold

CANDIDATE = "candidate"
BASELINE = "baseline"
CONFUSION = "confusion"

# TFMA class of each metric; the same names as in evaluate_config.METRICS.
_CLASSES = {
    "accuracy": "SparseCategoricalAccuracy",
    "auc": "AUC",
    "loss": "SparseCategoricalCrossentropy",
}
_ALWAYS_SHOWN = ("accuracy", "auc")


def build_eval_config(
    config: EvaluateConfig, label_id: str, signature: str, *, gate: bool
) -> config_pb2.EvalConfig:
    """Says to TFMA what to compute and what to demand.

    Args:
        config: Thresholds and slices.
        label_id: Key of the label's index among the model's transformed labels.
        signature: Signature that takes serialized examples.
        gate: Whether the thresholds apply and a baseline is compared; False
            for splits that are only reported.

    Returns:
        The config for the Evaluator.
    """
    names = [CANDIDATE, BASELINE] if gate else [CANDIDATE]
    shown = [name for name in METRICS if name in _ALWAYS_SHOWN or name in config.thresholds]
    plain = [name for name in shown if name != "auc"]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                name=name,
                model_type="tf_generic",
                signature_name=signature,
                prediction_key="probabilities",
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
        metrics_specs=[
            config_pb2.MetricsSpec(
                metrics=[
                    config_pb2.MetricConfig(class_name="ExampleCount"),
                    *(_metric(name, config, gate) for name in plain),
                    config_pb2.MetricConfig(
                        class_name="MultiClassConfusionMatrixAtThresholds",
                        config=f'"name": "{CONFUSION}", "thresholds": [0.0]',
                    ),
                ]
            ),
            config_pb2.MetricsSpec(
                metrics=[_metric("auc", config, gate)],
                aggregate=config_pb2.AggregationOptions(micro_average=True),
            ),
        ],
    )


def _metric(name: str, config: EvaluateConfig, gate: bool) -> config_pb2.MetricConfig:
    threshold = config.thresholds.get(name) if gate else None  # type: ignore[call-overload]
    return config_pb2.MetricConfig(
        class_name=_CLASSES[name],
        config=f'"name": "{name}"',
        threshold=None if threshold is None else _threshold(name, threshold),
    )


def _threshold(name: str, threshold: Threshold) -> config_pb2.MetricThreshold:
    """Translates one threshold.

    An absolute bound is always there: TFMA drops the comparison while there
    is no baseline, and blesses nothing where no threshold is left.
    """
    higher = METRICS[name].higher_is_better
    lower = threshold.min if threshold.min is not None else 0.0
    bounds = config_pb2.GenericValueThreshold(lower_bound=wrappers_pb2.DoubleValue(value=lower))
    if threshold.max is not None:
        bounds.upper_bound.value = threshold.max
    result = config_pb2.MetricThreshold(value_threshold=bounds)
    if threshold.no_worse_than_baseline_by is not None:
        allowed = threshold.no_worse_than_baseline_by
        result.change_threshold.absolute.value = -allowed if higher else allowed
        result.change_threshold.direction = (
            config_pb2.MetricDirection.HIGHER_IS_BETTER
            if higher
            else config_pb2.MetricDirection.LOWER_IS_BETTER
        )
    return result
