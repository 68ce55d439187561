"""What a model is refused for, in words, where no process is needed to see it."""

import numpy as np
import pytest

from components.serving_validator import judge
from components.serving_validator.config import ValidateConfig

CONFIG = ValidateConfig()
FINE = {"size": 1, "error": "", "rows": 1, "finite": True, "difference": 0.0}


def said(verdicts):
    return [str(one) for one in verdicts]


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (FINE, "passed: a answers batches of 1"),
        (
            {"size": 0, "error": "input depth must be 3"},
            "failed: a fails with a batch of 0: input depth must be 3",
        ),
        ({**FINE, "rows": 2}, "failed: a gives 2 rows with a batch of 1"),
        ({**FINE, "rows": None}, "failed: a gives outputs of different lengths with a batch of 1"),
        (
            {**FINE, "finite": False},
            "failed: a gives numbers that are not finite with a batch of 1",
        ),
        (
            {**FINE, "difference": 0.25},
            "failed: a answers the same example otherwise with a batch of 1, by 0.25, "
            "at most 0.0001",
        ),
    ],
)
def test_a_batch_that_is_not_answered_rightly_has_its_reason(batch, expected):
    signatures = {
        "serving_default": {"error": "", "batches": [FINE]},
        "a": {"error": "", "batches": [batch]},
    }
    assert said(judge.judge_signatures(signatures, CONFIG))[1] == expected


def test_a_signature_that_fails_has_its_reason():
    verdicts = judge.judge_signatures({"serving_default": {"error": "no such word"}}, CONFIG)
    assert said(verdicts) == ["failed: serving_default fails: no such word"]


def test_a_model_without_signatures_is_refused():
    assert said(judge.judge_signatures({}, CONFIG)) == [
        "failed: it has no signature serving_default, but none at all"
    ]


def test_an_import_of_ours_is_a_refusal():
    result = {"imported": ["preprocessing", "tensorflow", "trainer"]}
    assert said(judge.judge_result(result, ("preprocessing", "trainer", "pipeline"))) == [
        "failed: the process that tried it had imported preprocessing, trainer"
    ]


def test_budgets_are_held_each_by_itself():
    config = ValidateConfig.model_validate(
        {"latency": {"batch_1": {"p50_ms": 10, "p95_ms": 10}, "batch_32": {"p50_ms": 1000}}}
    )
    measured = [
        {"batch": 1, "error": "", "milliseconds": [5.0] * 9 + [105.0]},
        {"batch": 32, "error": "out of memory"},
    ]
    verdicts, figures = judge.judge_latency(measured, config)
    assert said(verdicts) == [
        "passed: a batch of 1 takes 5.0 ms (median), at most 10",
        "failed: a batch of 1 takes 60.0 ms (95th percentile), at most 10",
        "failed: a batch of 32 cannot be timed: out of memory",
    ]
    assert [(one.batch, one.calls, one.p50_ms) for one in figures] == [(1, 10, 5.0)]


def test_without_budgets_latency_and_size_are_figures_alone():
    measured = [{"batch": 1, "error": "", "milliseconds": [5.0]}]
    assert judge.judge_latency(measured, CONFIG)[0] == []
    assert judge.judge_size(10_000.0, CONFIG) == []


def test_examples_with_a_number_that_is_not_finite_are_counted():
    outputs = {
        "label": np.array([b"a", b"b", b"c"]),
        "probabilities": np.array([[0.5, 0.5], [np.nan, 0.5], [np.inf, np.nan]]),
    }
    assert said(judge.judge_finite("a", outputs)) == [
        "failed: a gives probabilities that are not finite, for 2 of 3 examples"
    ]
