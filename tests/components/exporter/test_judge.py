"""When an export is good enough, by numbers worked out by hand."""

import math

import numpy as np
import pytest

from components.exporter.answers import Answers
from components.exporter.errors import ExportError
from components.exporter.figures import METRICS
from components.exporter.judge import Judge

CLASSES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], np.float32)


def judge(task="multiclass", outputs=CLASSES, labels=(0, 0, 1, 1), max_loss=0.02):
    return Judge(METRICS[task], np.array(outputs, np.float32), np.array(labels), 0.5, max_loss)


def answers(outputs):
    return Answers(np.array(outputs, np.float32), [1.0], "")


def compare(judged, outputs):
    return judged.compare(answers(outputs), math.inf)


@pytest.mark.parametrize(
    ("task", "outputs", "labels", "value"),
    [
        ("multiclass", CLASSES, [0, 0, 1, 1], 0.75),
        ("multiclass", CLASSES, [-1, 0, 1, 1], 0.5),  # A class that training did not have.
        ("binary", CLASSES, [0, 1, 1, 0], 0.75),
        ("multilabel", CLASSES, [[1, 0], [1, 1], [0, 1], [0, 0]], 2 * 3 / (4 + 4)),
        ("multilabel", [[0.1, 0.2]], [[0, 0]], 0.0),
        ("regression", [1.0, 5.0, 9.0], [2.0, 5.0, np.nan], 0.5),
    ],
)
def test_each_task_has_its_figure(task, outputs, labels, value):
    assert judge(task, outputs, labels).reference == pytest.approx(value)


def test_an_export_that_says_the_same_loses_nothing():
    verdict = compare(judge(), CLASSES)
    assert verdict == (0.75, 0.0, 0.0, "")


def test_the_largest_difference_is_of_any_output_of_any_example():
    outputs = CLASSES + np.array([[0, 0], [0, 0.125], [0, 0], [-0.0625, 0]], np.float32)
    verdict = compare(judge(), outputs)
    assert verdict.difference == 0.0
    assert verdict.largest_difference == pytest.approx(0.125)


def test_a_loss_above_the_limit_refuses_and_one_at_the_limit_does_not():
    worse = CLASSES[::-1]
    assert compare(judge(max_loss=0.5), worse).refusal == ""
    verdict = compare(judge(max_loss=0.25), worse)
    assert (verdict.value, verdict.difference) == (0.25, -0.5)
    assert verdict.refusal == (
        "accuracy 0.2500, the SavedModel's 0.7500: worse by 0.5000, "
        "and export.max_accuracy_loss is 0.25"
    )


def test_a_better_export_is_not_refused():
    assert compare(judge(labels=(0, 0, 1, 0), max_loss=0.0), CLASSES).refusal == ""
    assert compare(judge(labels=(1, 1, 0, 0)), CLASSES[::-1]).difference > 0


def test_an_error_counts_by_its_share():
    regression = judge("regression", [10.0, 20.0], [11.0, 21.0], max_loss=0.05)
    assert compare(regression, [9.96, 19.96]).refusal == ""
    assert compare(regression, [9.9, 19.9]).refusal == (
        "mae 1.1000, the SavedModel's 1.0000: worse by 0.1000 of it, "
        "and export.max_accuracy_loss is 0.05"
    )


def test_against_a_perfect_model_any_error_is_a_loss_without_bounds():
    perfect = judge("regression", [1.0], [1.0])
    assert compare(perfect, [1.0]).refusal == ""
    assert "worse by inf of it" in compare(perfect, [1.5]).refusal


def test_a_format_that_must_say_the_same_and_does_not_is_refused_whatever_its_accuracy():
    outputs = CLASSES + np.array([[0.05, -0.05]], np.float32)
    assert compare(judge(), outputs).refusal == ""
    verdict = judge().compare(answers(outputs), 0.01)
    assert verdict.difference == 0.0
    assert verdict.refusal == (
        "an output is 0.0500 off the SavedModel's, where this format may be 0.01 off: "
        "the runtime computes something else"
    )
    prices = judge("regression", [1000.0], [1000.0])
    assert prices.compare(answers([1001.0]), 0.01).refusal != ""
    assert judge("regression", [1000.0], [900.0]).compare(answers([1001.0]), 0.01).refusal == ""


def test_outputs_that_are_no_numbers_are_refused():
    broken = CLASSES.copy()
    broken[2, 0] = np.nan
    with pytest.raises(ExportError) as error:
        compare(judge(), broken)
    assert str(error.value) == "some of its outputs are not finite"


def test_outputs_of_another_shape_are_refused():
    with pytest.raises(ExportError) as error:
        compare(judge(), CLASSES[:, :1])
    assert str(error.value) == "its outputs have the shape [4, 1], the SavedModel's [4, 2]"
