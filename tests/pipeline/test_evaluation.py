"""Our thresholds as TFMA's, and TFMA's results as figures and reasons."""

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import metrics_for_slice_pb2, validation_result_pb2

from pipeline.evaluate_config import METRICS, EvaluateConfig, Threshold
from pipeline.evaluation import BASELINE, CANDIDATE, build_eval_config
from pipeline.outcome import read_evaluation, read_verdict


def build(gate=True, slices=(), **thresholds):
    config = EvaluateConfig(thresholds=thresholds, slices=[list(one) for one in slices])
    return build_eval_config(config, "label_id", "serving_examples", gate=gate)


def threshold_of(config, name):
    metrics = [metric for spec in config.metrics_specs for metric in spec.metrics]
    return next(one.threshold for one in metrics if one.config == f'"name": "{name}"')


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


def test_a_comparison_alone_still_leaves_a_bound_so_that_a_first_run_can_be_blessed():
    config = build(accuracy=Threshold(no_worse_than_baseline_by=0.01))
    first_run = tfma.utils.update_eval_config_with_defaults(
        config, has_baseline=False, rubber_stamp=True
    )
    threshold = threshold_of(first_run, "accuracy")
    assert not threshold.HasField("change_threshold")
    assert threshold.value_threshold.HasField("lower_bound")


def test_a_split_that_is_only_reported_has_no_thresholds_and_no_baseline():
    config = build(gate=False, accuracy=Threshold(min=0.8))
    assert [spec.name for spec in config.model_specs] == [CANDIDATE]
    assert not threshold_of(config, "accuracy").ListFields()


def test_slices_are_groups_of_columns_beside_the_whole():
    config = build(slices=[("pen",), ("pen", "label")], accuracy=Threshold(min=0.5))
    assert [list(one.feature_keys) for one in config.slicing_specs] == [
        [],
        ["pen"],
        ["pen", "label"],
    ]


def test_every_metric_that_a_threshold_can_name_is_computed():
    for name in METRICS:
        assert threshold_of(build(**{name: Threshold(max=1.0)}), name).ListFields()


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
    config = EvaluateConfig(thresholds={"accuracy": Threshold(**threshold)})
    return read_verdict(uri, config, read_evaluation(uri, ["cat", "dog"]))


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
