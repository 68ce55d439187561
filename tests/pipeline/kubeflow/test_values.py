"""What is given for a parameter: read, and refused where a task would refuse it later."""

import pytest

from pipeline.kubeflow.parameters import find_parameters
from pipeline.kubeflow.values import check_value, with_values
from preprocessing.errors import UsageError
from tests.pipeline.kubeflow.deployed import load

SPANS = ("data.source.path=gs://acme/flowers/{SPAN}", "data.spans.last=3")


def test_a_default_can_be_another(tmp_path):
    parameters = find_parameters(load(tmp_path))
    changed = with_values(parameters, {"epochs": "5", "threshold_accuracy_min": "1e-1"})
    assert [one.default for one in changed] == [5, 0.1, 0.01]


def test_an_unknown_parameter_is_answered_with_the_closest(tmp_path):
    with pytest.raises(UsageError) as caught:
        with_values(find_parameters(load(tmp_path)), {"epoch": "5"})
    assert str(caught.value) == (
        "The pipeline has no such parameter\n"
        "  Received: 'epoch'\n"
        "  Valid: epochs, threshold_accuracy_min, threshold_accuracy_no_worse_than_baseline_by\n"
        "  Did you mean 'epochs'?"
    )


@pytest.mark.parametrize(
    ("name", "text", "valid"),
    [("epochs", "2.5", "a whole number"), ("threshold_accuracy_min", "high", "a number")],
)
def test_a_value_of_another_type_is_refused(tmp_path, name, text, valid):
    with pytest.raises(UsageError) as caught:
        with_values(find_parameters(load(tmp_path)), {name: text})
    assert str(caught.value) == (
        f"The parameter {name} takes another kind of value\n  Received: '{text}'\n  Valid: {valid}"
    )


@pytest.mark.parametrize(
    ("name", "text", "received", "valid"),
    [
        ("epochs", "0", "0", "at least 1"),
        ("threshold_accuracy_min", "85", "85.0", "at most 1"),
        ("threshold_accuracy_min", "nan", "nan", "at most 1"),
        ("threshold_accuracy_no_worse_than_baseline_by", "-0.1", "-0.1", "at least 0"),
        (
            "span",
            "yesterday",
            "'yesterday'",
            "the number of a span, a date such as 2026-01-31, nothing, for the newest",
        ),
    ],
)
def test_a_value_that_a_task_would_refuse_is_refused_at_once(tmp_path, name, text, received, valid):
    with pytest.raises(UsageError) as caught:
        with_values(find_parameters(load(tmp_path, *SPANS)), {name: text})
    assert str(caught.value) == (
        f"The parameter {name} cannot have this value\n  Received: {received}\n  Valid: {valid}"
    )


def test_infinity_is_no_bound():
    with pytest.raises(UsageError, match="Received: inf\n  Valid: a finite number"):
        check_value("threshold_loss_min", float("inf"), (None, None))


@pytest.mark.parametrize("span", ["", "7", "2026-01-31"])
def test_a_span_is_a_number_a_date_or_the_newest(span):
    check_value("span", span, (None, None))
