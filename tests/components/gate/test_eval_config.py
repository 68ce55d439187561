"""What TFMA is asked for, and what is read of its results."""

import json
import math

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.gate.config import METRICS, EvaluateConfig, Threshold
from components.gate.eval_config import CANDIDATE, build_eval_config
from components.gate.results import read_evaluation
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
        ("multiclass", ["accuracy", "auc", "ece"]),
        ("binary", ["accuracy", "auc", "precision", "recall", "f1", "ece"]),
        ("multilabel", ["accuracy", "auc", "precision", "recall", "f1", "ece"]),
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


def names_of(config):
    metrics = [metric for spec in config.metrics_specs for metric in spec.metrics]
    return [json.loads(one.config or "{}").get("name") for one in metrics]


def test_a_split_that_is_only_reported_has_no_intervals_and_no_baseline():
    config = build(gate=False, accuracy=Threshold(min=0.8))
    assert [spec.name for spec in config.model_specs] == [CANDIDATE]
    assert "accuracy_spread" not in names_of(config)


def test_what_thresholds_are_on_has_an_interval_and_nothing_else_has():
    config = EvaluateConfig(
        thresholds={"accuracy": Threshold(min=0.5), "auc": Threshold(min=0.5)},
        slices=[["pen"]],
        slice_thresholds={"loss": Threshold(max=2)},
    )
    built = build_eval_config(config, LabelConfig(), "label_id", "serving_examples", gate=True)
    spreads = [name for name in names_of(built) if name and name.endswith("_spread")]
    # TFMA's area under the curve is no figure of ours.
    assert spreads == ["accuracy_spread", "loss_spread"]
    none = config.model_copy(update={"confidence": None})
    built = build_eval_config(none, LabelConfig(), "label_id", "serving_examples", gate=True)
    assert not any(name and name.endswith("_spread") for name in names_of(built))


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
            assert name in names_of(build(task, **{name: Threshold(max=1.0)}))


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

    def write():
        record = metrics_for_slice_pb2.MetricsForSlice()

        def add(name, value):
            pair = record.metric_keys_and_values.add()
            pair.key.name, pair.key.model_name = name, CANDIDATE
            pair.value.double_value.value = value

        add("accuracy", 0.7)
        add("auc", 0.75)
        add("loss", math.nan)
        add("example_count", 10)
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
