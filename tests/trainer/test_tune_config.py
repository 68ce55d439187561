"""What the tuner may try: checked by itself and against what is trained."""

import pytest
from pydantic import ValidationError

from trainer.config import LastLayers, TrainConfig
from trainer.tune_config import (
    LISTS,
    REAL,
    TUNABLE,
    WHOLE,
    Domain,
    TuneConfig,
    apply_values,
    find_mistakes,
)

TUNED = TrainConfig(mode="fine_tune")


def mistakes(space, train=TUNED, **tune):
    config = TuneConfig.model_validate({"space": space, **tune})
    return list(find_mistakes(config, train))


def test_every_key_can_be_given_a_value():
    space = {name: {"values": [1, 2]} for name in WHOLE}
    space |= {name: {"values": [0.1, 0.2]} for name in REAL}
    space |= {name: {"values": [[], [8]]} for name in LISTS}
    assert set(space) == set(TUNABLE)
    assert mistakes(space, objective="score") == []


def test_values_go_to_their_places():
    values = {
        "learning_rate": 0.3,
        "head.hidden": "[8, 4]",
        "fine_tune.learning_rate": 0.1,
        "fine_tune.unfreeze.last": 2,
    }
    train = apply_values(TrainConfig(epochs=7), values)
    assert (train.epochs, train.learning_rate, train.head.hidden) == (7, 0.3, (8, 4))
    assert train.fine_tune.unfreeze == LastLayers(last=2)
    assert train.fine_tune.learning_rate == 0.1


@pytest.mark.parametrize("function", [None, "heads:build"])
def test_without_a_space_the_head_is_tuned_as_far_as_it_is_ours(function):
    train = TrainConfig.model_validate({"head": {"function": function}})
    ours = [] if function else ["head.dropout", "head.hidden"]
    space = TuneConfig(trials=20).space_for(train)
    assert list(space) == ["learning_rate", "weight_decay", *ours]
    assert mistakes({key: one.model_dump() for key, one in space.items()}, train) == []


def test_an_unknown_key_is_answered_with_the_closest():
    ((key, what),) = mistakes({"learning_rte": {"values": [1]}})
    assert key == "learning_rte"
    assert what == (
        "the tuner knows no such key of `train`\n  Received: 'learning_rte'\n"
        f"  Valid: {', '.join(TUNABLE)}\n  Did you mean 'learning_rate'?"
    )


@pytest.mark.parametrize(
    ("space", "what"),
    [
        (
            {"head.hidden": {"min": 1, "max": 2}},
            "lists have no order: give `values`\n  Received: [1.0, 2.0]",
        ),
        (
            {"batch_size": {"values": [8, 1.5]}},
            "whole numbers are needed here\n  Received: [8, 1.5]",
        ),
        (
            {"head.dropout": {"min": 0, "max": 2}},
            "train.head.dropout cannot be this: Input should be less than 1\n  Received: 2.0",
        ),
        (
            {"head.hidden": {"values": [[8], 3]}},
            "train.head.hidden cannot be this: Input should be a valid array\n  Received: 3",
        ),
    ],
)
def test_values_that_train_cannot_take_are_found(space, what):
    ((key, said),) = mistakes(space)
    assert (key, said) == (*space, what)


def test_fine_tuning_must_be_asked_for():
    ((_, what),) = mistakes({"fine_tune.learning_rate": {"values": [0.1]}}, TrainConfig())
    assert what == (
        "fine-tuning has no values to tune in mode: frozen\n"
        "  Received: 'fine_tune.learning_rate'\n  Valid: train.mode: fine_tune"
    )


def test_losses_that_mean_different_things_are_not_compared():
    space = {"loss.label_smoothing": {"values": [0.0, 0.1]}}
    ((key, what),) = mistakes(space)
    assert key == ""
    assert what == (
        "the losses of trials with another loss.label_smoothing cannot be compared\n"
        "  Received: 'loss'\n  Valid: score"
    )
    assert mistakes(space, objective="score") == []


@pytest.mark.parametrize(
    ("domain", "what"),
    [
        ({}, "give `values`, or `min` and `max` (and `log`)\n  Received: []"),
        ({"min": 1}, "give `values`, or `min` and `max` (and `log`)\n  Received: ['min']"),
        (
            {"values": [1], "log": True},
            "give `values`, or `min` and `max` (and `log`)\n  Received: ['values', 'log']",
        ),
        ({"min": 2, "max": 1}, "`min` must be less than `max`\n  Received: [2.0, 1.0]"),
        ({"min": 0, "max": 1, "log": True}, "`log` needs a `min` above 0\n  Received: 0.0"),
    ],
)
def test_a_domain_is_values_or_a_stretch(domain, what):
    with pytest.raises(ValidationError) as caught:
        Domain.model_validate(domain)
    assert str(caught.value.errors()[0]["ctx"]["error"]) == what
