"""Our thresholds as TFMA's, and TFMA's results as figures and reasons."""

import json
import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import metrics_for_slice_pb2, validation_result_pb2

from components.gate.config import DEFAULTS, METRICS, EvaluateConfig, Threshold
from components.gate.eval_config import BASELINE, CANDIDATE, build_eval_config
from components.gate.results import read_evaluation, read_verdict
from preprocessing.config import LabelConfig

LABELS = {
    "multiclass": LabelConfig(),
    "binary": LabelConfig(task="binary", positive="yes"),
    "multilabel": LabelConfig(task="multilabel"),
    "regression": LabelConfig(task="regression"),
}


def build(task="multiclass", gate=True, slices=(), **thresholds):
    config = EvaluateConfig(thresholds=thresholds or None, slices=[list(one) for one in slices])
    return build_eval_config(config, LABELS[task], "label_id", "serving_examples", gate=gate)


def metric_of(config, name):
    metrics = [metric for spec in config.metrics_specs for metric in spec.metrics]
    return next(one for one in metrics if json.loads(one.config or "{}").get("name") == name)


def threshold_of(config, name):
    """The one threshold of a metric, which is on the whole split."""
    (only,) = metric_of(config, name).per_slice_thresholds
    assert [list(one.feature_keys) for one in only.slicing_specs] == [[]]
    return only.threshold


def test_bounds_and_comparison_are_translated():
    threshold = threshold_of(
        build(accuracy=Threshold(min=0.8, max=0.99, no_worse_than_baseline_by=0.01)), "accuracy"
    )
    assert threshold.value_threshold.lower_bound.value == 0.8
    assert threshold.value_threshold.upper_bound.value == 0.99
    assert threshold.change_threshold.absolute.value == -0.01
    assert threshold.change_threshold.direction == tfma.MetricDirection.HIGHER_IS_BETTER


def test_a_loss_may_rise_by_what_is_allowed():
    threshold = threshold_of(build(loss=Threshold(no_worse_than_baseline_by=0.1)), "loss")
    assert threshold.change_threshold.absolute.value == 0.1
    assert threshold.change_threshold.direction == tfma.MetricDirection.LOWER_IS_BETTER


def test_an_error_in_the_labels_unit_may_rise_by_a_share():
    config = build("regression", mae=Threshold(no_worse_than_baseline_by=0.05))
    change = threshold_of(config, "mae").change_threshold
    assert change.relative.value == 0.05
    assert not change.HasField("absolute")
    assert change.direction == tfma.MetricDirection.LOWER_IS_BETTER


@pytest.mark.parametrize("task", LABELS)
def test_a_comparison_alone_still_leaves_a_bound_so_that_a_first_run_can_be_blessed(task):
    first_run = tfma.utils.update_eval_config_with_defaults(
        build(task), has_baseline=False, rubber_stamp=True
    )
    (name,) = DEFAULTS[task]
    threshold = threshold_of(first_run, name)
    assert not threshold.HasField("change_threshold")
    assert threshold.value_threshold.HasField("lower_bound")


def test_a_metric_that_may_be_negative_has_no_bound_at_zero():
    threshold = threshold_of(build("regression", r2=Threshold(no_worse_than_baseline_by=0.1)), "r2")
    assert threshold.value_threshold.lower_bound.value < -1e300


def test_a_label_is_given_where_the_model_gives_it():
    label = LabelConfig(task="binary", positive="yes", threshold=0.7)
    config = build_eval_config(EvaluateConfig(), label, "label_id", "s", gate=True)
    settings = json.loads(metric_of(config, "f1").config)
    # TFMA takes what is above; the model what is equal too, in float32.
    assert settings["thresholds"] < np.float32(0.7)
    assert np.float32(settings["thresholds"]) == np.nextafter(np.float32(0.7), np.float32(0))


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("multiclass", ["accuracy", "auc"]),
        ("binary", ["accuracy", "auc", "precision", "recall", "f1"]),
        ("multilabel", ["accuracy", "auc", "precision", "recall", "f1"]),
        ("regression", ["mae", "rmse", "r2"]),
    ],
)
def test_each_task_has_its_metrics(task, expected):
    config = build(task)
    names = {
        json.loads(one.config or "{}").get("name")
        for spec in config.metrics_specs
        for one in spec.metrics
    }
    assert names & set(METRICS) == set(expected)
    key = "value" if task == "regression" else "probabilities"
    assert {spec.prediction_key for spec in config.model_specs} == {key}


def test_a_split_that_is_only_reported_has_no_thresholds_and_no_baseline():
    config = build(gate=False, accuracy=Threshold(min=0.8))
    assert [spec.name for spec in config.model_specs] == [CANDIDATE]
    assert not metric_of(config, "accuracy").per_slice_thresholds


def test_slices_are_groups_of_columns_beside_the_whole():
    config = build(slices=[("pen",), ("pen", "label")], accuracy=Threshold(min=0.5))
    assert [list(one.feature_keys) for one in config.slicing_specs] == [
        [],
        ["pen"],
        ["pen", "label"],
    ]


def test_every_metric_that_a_threshold_can_name_is_computed():
    for name, metric in METRICS.items():
        for task in metric.tasks:
            assert threshold_of(build(task, **{name: Threshold(max=1.0)}), name).ListFields()


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ({"auc": Threshold(min=2)}, "thresholds.auc.min is above 1, the most that auc can be"),
        ({"r2": Threshold(min=1.5)}, "thresholds.r2.min is above 1, the most that r2 can be"),
        ({"mae": Threshold(max=-1)}, "thresholds.mae.max is below 0, the least that mae can be"),
    ],
)
def test_a_bound_that_no_model_can_meet_is_refused(threshold, message):
    with pytest.raises(ValueError, match=message):
        EvaluateConfig(thresholds=threshold)


def test_bounds_may_be_where_their_metric_can_be():
    EvaluateConfig(thresholds={"r2": Threshold(min=-0.5), "mae": Threshold(max=1e6)})


@pytest.fixture
def results(tmp_path):
    """What TFMA writes of ten examples of two classes, seven of them right."""

    def write(baseline=None, failures=()):
        record = metrics_for_slice_pb2.MetricsForSlice()

        def add(name, value, model=CANDIDATE, diff=False):
            pair = record.metric_keys_and_values.add()
            pair.key.name, pair.key.model_name, pair.key.is_diff = name, model, diff
            pair.value.double_value.value = value

        add("accuracy", 0.7)
        add("auc", 0.75)
        add("loss", math.nan)
        add("example_count", 10)
        if baseline is not None:
            add("accuracy", baseline, BASELINE)
            add("accuracy", 0.7 - baseline, CANDIDATE, diff=True)
        pair = record.metric_keys_and_values.add()
        pair.key.name, pair.key.model_name = "confusion", CANDIDATE
        matrix = pair.value.multi_class_confusion_matrix_at_thresholds.matrices.add()
        for actual, predicted, count in ((0, 0, 5), (0, 1, 1), (1, 0, 2), (1, 1, 2)):
            matrix.entries.add(
                actual_class_id=actual,
                predicted_class_id=predicted,
                num_weighted_examples=count,
            )
        with tf.io.TFRecordWriter(str(tmp_path / "metrics-00000-of-00001.tfrecord")) as writer:
            writer.write(record.SerializeToString())
        result = validation_result_pb2.ValidationResult(validation_ok=not failures)
        part = result.metric_validations_per_slice.add()
        for name, diff in failures:
            part.failures.add().metric_key.CopyFrom(
                type(pair.key)(name=name, model_name=CANDIDATE, is_diff=diff)
            )
        with tf.io.TFRecordWriter(str(tmp_path / "validations.tfrecord")) as writer:
            writer.write(result.SerializeToString())
        return str(tmp_path)

    return write


def test_precision_and_recall_come_from_the_confusions(results):
    evaluation = read_evaluation(results(), ["cat", "dog"])
    assert evaluation.metrics == {"accuracy": 0.7, "auc": 0.75, "examples": 10}
    cat, dog = evaluation.classes
    assert (cat.name, cat.examples, cat.precision, cat.recall) == ("cat", 6, 5 / 7, 5 / 6)
    assert (dog.name, dog.examples, dog.precision, dog.recall) == ("dog", 4, 2 / 3, 0.5)
    assert [(one.actual, one.predicted, one.count) for one in evaluation.confusions] == [
        ("dog", "cat", 2),
        ("cat", "dog", 1),
    ]


def verdict(uri, **threshold):
    thresholds = {"accuracy": Threshold(**threshold)}
    return read_verdict(uri, thresholds, read_evaluation(uri, ["cat", "dog"]))


def test_a_first_run_says_that_there_is_nothing_to_compare_with(results):
    blessed, reasons = verdict(results(), min=0.6, no_worse_than_baseline_by=0.01)
    assert blessed
    assert reasons == (
        "passed: accuracy 0.7000, at least 0.6",
        "passed: accuracy 0.7000, at most 0.01 below the last blessed model: none yet",
    )


def test_a_model_below_its_baseline_says_by_how_much(results):
    uri = results(baseline=0.8, failures=[("accuracy", True)])
    blessed, reasons = verdict(uri, min=0.6, no_worse_than_baseline_by=0.01)
    assert not blessed
    assert reasons == (
        "passed: accuracy 0.7000, at least 0.6",
        "failed: accuracy 0.7000, at most 0.01 below the last blessed model's 0.8000",
    )


def test_a_model_outside_its_bounds_says_which(results):
    blessed, reasons = verdict(results(failures=[("accuracy", False)]), min=0.9, max=0.99)
    assert not blessed
    assert reasons == ("failed: accuracy 0.7000, at least 0.9 and at most 0.99",)
