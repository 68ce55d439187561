"""Why a last blessed model cannot be compared with is said in words."""

import shutil

import pytest

from components.gate.baseline import find_fault, find_misfit
from preprocessing.config import LabelConfig
from preprocessing.model_info import ModelInfo, write_model_info

SIGNATURES = ("serving_examples", "transformed_labels")


@pytest.fixture
def model(tmp_path, echo):
    folder = tmp_path / "model"
    echo("multiclass", 2).save(folder)
    return folder


def misfit(model, label=None):
    return find_misfit(str(model), label or LabelConfig())


def test_a_whole_model_has_no_fault(model, example):
    assert misfit(model) is None
    assert find_fault(str(model), [example([0.2, 0.8], 1)], SIGNATURES, "probabilities") is None


def test_what_is_not_there_is_seen_without_loading_it(model):
    (model / "saved_model.pb").unlink()
    assert misfit(model) == "its folder has no saved_model.pb"
    shutil.rmtree(model)
    assert misfit(model) == "its folder is gone"


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (
            LabelConfig(task="regression"),
            "its label.task is 'regression', and this model's 'binary'",
        ),
        (
            LabelConfig(task="binary", positive="yes", name="kind"),
            "its label.name is 'kind', and this model's 'label'",
        ),
        (
            LabelConfig(task="binary", positive="no"),
            "its label.positive is 'no', and this model's 'yes'",
        ),
        (LabelConfig(task="binary", positive="yes", threshold=0.9), None),
    ],
)
def test_a_model_of_something_else_is_none_to_compare_with(model, before, reason):
    info = ModelInfo(features={}, images={}, label=before, classes=("no", "yes"))
    write_model_info(info, str(model))
    assert misfit(model, LabelConfig(task="binary", positive="yes")) == reason


def test_a_model_that_does_not_say_what_it_is_of_may_fit(model):
    (model / "assets.extra").mkdir()
    (model / "assets.extra" / "model.json").write_text("{}")
    assert misfit(model) is None


def test_weights_that_are_gone_cannot_be_loaded(model, example):
    shutil.rmtree(model / "variables")
    fault = find_fault(str(model), [example([0.2, 0.8], 1)], SIGNATURES, "probabilities")
    assert fault.startswith("it cannot be loaded: ")
    assert "\n" not in fault
    assert len(fault) < 250


@pytest.mark.parametrize(
    ("signatures", "output", "reason"),
    [
        (
            ("serving_examples", "labels"),
            "probabilities",
            "it has no signature 'labels', only ['serving_examples', 'transformed_labels']",
        ),
        (
            SIGNATURES,
            "value",
            "its signature 'serving_examples' gives no 'value', only ['label', 'probabilities']",
        ),
    ],
)
def test_what_it_lacks_is_named(model, example, signatures, output, reason):
    assert find_fault(str(model), [example([0.2, 0.8], 1)], signatures, output) == reason


def test_examples_that_it_does_not_take_are_said(model, example):
    fault = find_fault(str(model), [example([0.2, 0.1, 0.7], 1)], SIGNATURES, "probabilities")
    assert fault.startswith("its signature 'serving_examples' does not take these examples: ")
    assert "Key: p" in fault
