"""A run's parameters reach the values that were compiled."""

import json

import pytest

from pipeline.kubeflow_task.lay_over import lay_over, read_place
from preprocessing.errors import UsageError

EPOCHS = read_place("epochs=custom_config:trainer.train.epochs")
CONFIG = json.dumps({"trainer": {"train": {"epochs": 40, "rate": 0.5, "span": "3"}}, "x": 1})


def laid(value, place=EPOCHS, name="epochs"):
    made = lay_over({name: value, "custom_config": CONFIG, "run_fn": "f"}, [place])
    assert made.keys() == {"custom_config", "run_fn"}
    return json.loads(made["custom_config"])


@pytest.mark.parametrize("value", [3, 3.0, "3"])
def test_a_whole_number_stays_one(value):
    made = laid(value)
    assert made == {"trainer": {"train": {"epochs": 3, "rate": 0.5, "span": "3"}}, "x": 1}
    assert isinstance(made["trainer"]["train"]["epochs"], int)


def test_a_fraction_and_a_text_are_taken_as_they_are():
    rate = read_place("rate=custom_config:trainer.train.rate")
    assert laid(1.0, rate, "rate")["trainer"]["train"]["rate"] == 1.0
    span = read_place("span=custom_config:trainer.train.span")
    assert laid("7", span, "span")["trainer"]["train"]["span"] == "7"


def test_an_empty_text_leaves_what_was_compiled():
    assert laid("") == json.loads(CONFIG)


def test_several_values_go_into_the_same_parameter():
    rate = read_place("rate=custom_config:trainer.train.rate")
    given = {"epochs": 2, "rate": 0.1, "custom_config": CONFIG}
    made = json.loads(lay_over(given, [EPOCHS, rate])["custom_config"])
    assert made["trainer"]["train"] == {"epochs": 2, "rate": 0.1, "span": "3"}


@pytest.mark.parametrize("text", ["epochs", "epochs=x", "=x:y", "epochs=x:", "epochs=:y"])
def test_a_place_of_another_form_is_an_error(text):
    with pytest.raises(UsageError) as error:
        read_place(text)
    assert str(error.value) == (
        f"--lay_over takes NAME=PARAMETER:dotted.path\n  Received: {text!r}\n  See: docs/deploy.md"
    )


def message(parameters, place=EPOCHS):
    with pytest.raises(UsageError) as error:
        lay_over(parameters, [place])
    return str(error.value)


def test_a_missing_value_is_an_error():
    assert message({"custom_config": CONFIG}) == (
        "The run has no value of a parameter\n  Received: 'epochs'\n  See: docs/deploy.md"
    )


def test_a_parameter_that_the_task_does_not_have_is_an_error():
    assert message({"epochs": 1, "custom_confg": CONFIG}) == (
        "epochs: the task has no such parameter\n"
        "  Received: 'custom_config'\n"
        "  Valid: custom_confg\n"
        "  Did you mean 'custom_confg'?\n"
        "  See: docs/deploy.md"
    )


@pytest.mark.parametrize("path", ["trainer.train.epoch", "x.epoch"])
def test_a_place_that_is_not_there_is_an_error(path):
    place = read_place(f"epochs=custom_config:{path}")
    valid = "  Valid: epochs, rate, span\n  Did you mean 'epochs'?\n" if "train" in path else ""
    assert message({"epochs": 1, "custom_config": CONFIG}, place) == (
        f"epochs: custom_config has no {path}\n  Received: 'epoch'\n{valid}  See: docs/deploy.md"
    )


def test_what_is_no_number_is_an_error():
    assert message({"epochs": "many", "custom_config": CONFIG}) == (
        "epochs is a number\n  Received: 'many'\n  See: docs/deploy.md"
    )
