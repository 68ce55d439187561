"""Which run a task is of, as far as its platform says so."""

import pytest

from pipeline.kubeflow_task.run_id import PLACEHOLDERS, RUN_ID, take_run_id


def test_the_id_is_no_parameter_of_the_component():
    parameters = {RUN_ID: "shop-20270101-030000-1a2b", "keep": 3.0}
    assert take_run_id(parameters) == "shop-20270101-030000-1a2b"
    assert parameters == {"keep": 3.0}


def test_a_task_that_is_told_none_knows_none():
    assert take_run_id({"keep": 3.0}) == ""


@pytest.mark.parametrize("placeholder", PLACEHOLDERS.values())
def test_a_placeholder_that_nobody_filled_in_is_no_id(placeholder):
    assert take_run_id({RUN_ID: placeholder}) == ""
