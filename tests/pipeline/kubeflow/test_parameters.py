"""Which values a run may be given, where they go, and what is possible."""

import pytest

from pipeline.kubeflow.parameters import find_parameters, with_thresholds
from tests.pipeline.kubeflow.deployed import load


def _found(config) -> dict:
    return {one.name: one for one in find_parameters(with_thresholds(config))}


def _defaults(config) -> dict:
    return {name: one.default for name, one in _found(config).items()}


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


def test_who_trains_and_who_writes_about_it_have_the_same_epochs(tmp_path):
    trained = "custom_config:trainer.train.epochs"
    card = "config:config.train.epochs"
    assert _found(load(tmp_path))["epochs"].places == {"Trainer": trained, "ModelCard": card}
    tuned = _found(load(tmp_path, "tune={trials: 3}"))["epochs"].places
    assert tuned == {"Tuner": trained, "Trainer": trained, "ModelCard": card}


@pytest.mark.parametrize(
    ("thresholds", "limits"),
    [
        ("{accuracy: {min: 0.5}}", (None, 1)),
        ("{ece: {max: 0.5}}", (0, None)),
        ("{loss: {min: 0.5}}", (None, None)),
        ("{accuracy: {no_worse_than_baseline_by: 0.5}}", (0, None)),
    ],
)
def test_a_threshold_is_one_that_a_model_can_pass(tmp_path, thresholds, limits):
    (found,) = (
        one
        for name, one in _found(load(tmp_path, f"evaluate.thresholds={thresholds}")).items()
        if name.startswith("threshold")
    )
    assert found.limits == limits
