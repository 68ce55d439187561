"""Which values a run may be given, and how their defaults are changed."""

import pytest

from pipeline.kubeflow.parameters import find_parameters, with_thresholds, with_values
from preprocessing.errors import UsageError
from tests.pipeline.kubeflow.deployed import load


def _defaults(config) -> dict:
    return {one.name: one.default for one in find_parameters(with_thresholds(config))}


def test_epochs_and_every_threshold_are_parameters(tmp_path):
    assert _defaults(load(tmp_path)) == {
        "epochs": 40,
        "threshold_accuracy_min": 0.85,
        "threshold_accuracy_no_worse_than_baseline_by": 0.01,
    }


def test_the_thresholds_of_a_task_count_where_the_config_has_none(tmp_path):
    config = load(tmp_path, "evaluate.thresholds=null", "train.mode=fine_tune")
    assert _defaults(config) == {
        "epochs": 40,
        "fine_tune_epochs": 10,
        "threshold_accuracy_no_worse_than_baseline_by": 0.01,
    }


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
