"""What TFMA computes of a real model of each task equals what is worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma

from components.gate.config import EvaluateConfig, Threshold
from components.gate.eval_config import BASELINE, CANDIDATE, build_eval_config
from components.gate.report import Baseline
from components.gate.results import read_evaluation, read_figures
from components.gate.verdict import judge
from preprocessing.config import LabelConfig

pytestmark = pytest.mark.slow


@pytest.fixture
def evaluate(tmp_path, echo, example):
    """Runs TFMA as the Evaluator does and reads what it wrote."""

    def run(label, predictions, labels, classes, baseline_shift=None, **thresholds):
        config = EvaluateConfig(thresholds=thresholds or None, slices=[["group"]])
        eval_config = build_eval_config(config, label, "label_id", "serving_examples", gate=True)
        shifts = {CANDIDATE: 0.0}
        if baseline_shift is not None:
            shifts[BASELINE] = baseline_shift
        eval_config = tfma.utils.update_eval_config_with_defaults(
            eval_config, has_baseline=BASELINE in shifts, rubber_stamp=True
        )
        for name, shift in shifts.items():
            echo(label.task, np.atleast_2d(predictions[0]).shape[-1], shift).save(tmp_path / name)
        data, out = str(tmp_path / "examples.tfrecord"), str(tmp_path / "out")
        with tf.io.TFRecordWriter(data) as writer:
            for p, y in zip(predictions, labels, strict=True):
                writer.write(example(p, y))
        models = [
            tfma.default_eval_shared_model(
                str(tmp_path / name),
                eval_config=eval_config,
                model_name=name if len(shifts) > 1 else "",
            )
            for name in shifts
        ]
        models = models if len(models) > 1 else models[0]
        tfma.run_model_analysis(models, eval_config, data_location=data, output_path=out)
        evaluation = read_evaluation(out, classes)
        baseline = Baseline(state="compared" if BASELINE in shifts else "none")
        report = judge(config, label.task, read_figures(out), baseline)
        return evaluation, (report.blessed, report.reasons)

    return run


BINARY = LabelConfig(task="binary", positive="yes", threshold=0.4)
POSITIVE = np.array([0.1, 0.6, 0.4, 0.8, 0.3, 1.0], np.float32)
TRUTH = np.array([0, 1, 1, 0, 1, 1])


def two(positive):
    return np.stack([1 - positive, positive], axis=1)


def test_a_binary_model_is_judged_at_its_threshold(evaluate):
    evaluation, (blessed, reasons) = evaluate(
        BINARY, two(POSITIVE), TRUTH, ["no", "yes"], f1=Threshold(min=0.7), loss=Threshold(max=2.0)
    )
    # Given from 0.4 on: 3 of the 4 that are there, and one that is not.
    expected = {"accuracy": 4 / 6, "precision": 3 / 4, "recall": 3 / 4, "f1": 0.75, "examples": 6}
    metrics = evaluation.metrics
    assert {name: metrics[name] for name in expected} == pytest.approx(expected)
    # Of the 8 pairs of a positive and a negative, 5 are in order.
    assert metrics["auc"] == pytest.approx(5 / 8, abs=1e-3)
    right = np.where(TRUTH == 1, POSITIVE, 1 - POSITIVE)
    assert metrics["loss"] == pytest.approx(-np.log(np.clip(right, 1e-7, 1)).mean(), rel=1e-5)
    no, yes = evaluation.classes
    assert (no.name, no.examples, no.precision, no.recall) == ("no", 2, 1 / 2, 1 / 2)
    assert (yes.name, yes.examples, yes.precision, yes.recall) == ("yes", 4, 3 / 4, 3 / 4)
    assert [(one.actual, one.predicted, one.count) for one in evaluation.confusions] == [
        ("no", "yes", 1),
        ("yes", "no", 1),
    ]
    assert blessed
    assert reasons[0] == "passed: f1 0.7500, at least 0.7"


def test_a_binary_label_that_is_missing_ends_nothing(evaluate):
    labels = np.where(np.arange(6) == 0, -1, TRUTH)
    evaluation, (blessed, _) = evaluate(BINARY, two(POSITIVE), labels, ["no", "yes"])
    assert evaluation.metrics["examples"] == 6
    assert blessed


def test_a_class_that_training_never_saw_counts_as_an_error_and_not_in_the_loss(evaluate):
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]], np.float32)
    evaluation, (blessed, _) = evaluate(
        LabelConfig(), probabilities, np.array([0, -1, 2]), ["a", "b", "c"], loss=Threshold(max=1.0)
    )
    assert evaluation.metrics["accuracy"] == pytest.approx(2 / 3)
    assert evaluation.metrics["loss"] == pytest.approx(-np.log([0.7, 0.4]).mean(), rel=1e-5)
    assert evaluation.confusions[0].actual == "(a class unknown to training)"
    assert blessed


def test_many_labels_are_counted_together_and_by_themselves(evaluate):
    label = LabelConfig(task="multilabel", threshold=0.5)
    probabilities = np.array(
        [[0.9, 0.2, 0.5], [0.6, 0.7, 0.1], [0.3, 0.4, 0.2], [0.1, 0.1, 0.1]], np.float32
    )
    labels = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32)
    evaluation, (blessed, reasons) = evaluate(
        label, probabilities, labels, ["a", "b", "c"], loss=Threshold(max=1.0)
    )
    # Given: a and c, a and b, none, none; 3 of 4 given are right, 3 of 4 true are given.
    expected = {"accuracy": 10 / 12, "precision": 3 / 4, "recall": 3 / 4, "f1": 0.75}
    metrics = evaluation.metrics
    assert {name: metrics[name] for name in expected} == pytest.approx(expected)
    positive, negative = probabilities[labels == 1], probabilities[labels == 0]
    order = np.sign(positive[:, None] - negative[None]) / 2 + 0.5
    assert metrics["auc"] == pytest.approx(order.mean(), abs=1e-3)
    entropy = -(labels * np.log(probabilities) + (1 - labels) * np.log(1 - probabilities))
    assert metrics["loss"] == pytest.approx(entropy.mean(), rel=1e-5)
    by_class = [(one.name, one.examples, one.precision, one.recall) for one in evaluation.classes]
    assert by_class == [("a", 2, 1 / 2, 1 / 2), ("b", 1, 1.0, 1.0), ("c", 1, 1.0, 1.0)]
    assert evaluation.confusions == ()


def test_a_regression_has_errors_in_the_labels_unit_and_numbers_that_are_none_do_not_count(
    evaluate,
):
    values = np.array([[1.0], [2.0], [3.5], [10.0], [4.0]], np.float32)
    truth = np.array([1.5, 2.0, 3.0, 8.0, math.nan], np.float32)
    evaluation, (blessed, reasons) = evaluate(
        LabelConfig(task="regression"), values, truth, [], baseline_shift=0.0
    )
    error = np.array([0.5, 0.0, 0.5, 2.0])
    variance = np.var(truth[:4]) * 4
    expected = {
        "mae": error.mean(),
        "rmse": math.sqrt((error**2).mean()),
        "r2": 1 - (error**2).sum() / variance,
        "examples": 5,
    }
    assert evaluation.metrics == pytest.approx(expected)
    assert evaluation.classes == ()
    assert blessed
    assert reasons == ("passed: mae 0.7500, at most 5 % above the last blessed model's 0.7500",)


def test_an_error_is_compared_with_the_baselines_by_its_share(evaluate):
    # The last model is off by 1 everywhere, this one by 1.2: a fifth more.
    truth = np.array([10.0, 20.0, 30.0], np.float32)
    values = truth[:, None] + np.float32(1.2)
    evaluation, (blessed, reasons) = evaluate(
        LabelConfig(task="regression"),
        values,
        truth,
        [],
        baseline_shift=-0.2,
        mae=Threshold(no_worse_than_baseline_by=0.1),
        r2=Threshold(no_worse_than_baseline_by=0.5),
    )
    assert not blessed
    assert reasons == (
        "failed: mae 1.2000, at most 10 % above the last blessed model's 1.0000",
        "passed: r2 0.9784, at most 0.5 below the last blessed model's 0.9850",
    )


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel", "regression"])
def test_a_first_run_is_blessed_by_the_thresholds_of_its_task_alone(evaluate, task):
    label = LabelConfig(task=task, positive="yes" if task == "binary" else None)
    labels = {
        "multilabel": np.array([[1.0, 0.0], [0.0, 1.0]], np.float32),
        "regression": np.array([2.0, 0.5], np.float32),
    }.get(task, np.array([0, 1]))
    predictions = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    predictions = predictions[:, :1] if task == "regression" else predictions
    _, (blessed, reasons) = evaluate(
        label, predictions, labels, ["no", "yes"] * (task != "regression")
    )
    assert blessed
    assert len(reasons) == 1
    assert reasons[0].endswith("the last blessed model: none yet")


def test_a_threshold_is_on_the_whole_split_and_not_on_each_slice(evaluate):
    # All of "high" are wrong, all of "low" are right.
    probabilities = two(np.array([0.1, 0.1, 0.1, 0.9], np.float32))
    evaluation, (blessed, _) = evaluate(
        BINARY, probabilities, np.array([0, 0, 0, 0]), ["no", "yes"], accuracy=Threshold(min=0.7)
    )
    assert {one.slice["group"]: one.metrics["accuracy"] for one in evaluation.slices} == {
        "low": 1.0,
        "high": 0.0,
    }
    assert blessed
    # Without a single positive there is no curve.
    assert "auc" not in evaluation.metrics


def test_a_figure_that_cannot_be_computed_blesses_nothing(evaluate):
    truth = np.array([math.nan, math.nan], np.float32)
    evaluation, (blessed, reasons) = evaluate(
        LabelConfig(task="regression"), np.ones([2, 1], np.float32), truth, []
    )
    assert evaluation.metrics == {"examples": 2}
    assert not blessed
    assert reasons == (
        "failed: mae unknown, at most 5 % above the last blessed model: it cannot be computed",
    )
