"""Loss, score and served outputs of each task, by values worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.config import LabelConfig
from preprocessing.errors import DataError
from trainer.config import LossConfig
from trainer.tasks.registry import TASKS

PLAIN = LossConfig(label_smoothing=0)
LOG = math.log


def losses(task, labels, logits, config=PLAIN):
    dtype = TASKS[task].label(2).dtype
    logits = tf.constant(logits, tf.float32)
    return TASKS[task].loss(tf.constant(labels, dtype), logits, config).numpy()


def scores(task, labels, logits):
    dtype = TASKS[task].label(2).dtype
    return TASKS[task].score(tf.constant(labels, dtype), tf.constant(logits)).numpy().tolist()


def served(task, logits, classes=(), **label):
    outputs = TASKS[task].predict(tf.constant(logits), classes, LabelConfig(task=task, **label))
    return {name: value.numpy().tolist() for name, value in outputs.items()}


def test_multiclass_is_the_negative_logarithm_of_the_right_classs_probability():
    # Odds of 1 : 3 : 4.
    found = losses("multiclass", [1, 2], [[0, LOG(3), LOG(4)]] * 2)
    np.testing.assert_allclose(found, [LOG(8 / 3), LOG(2)], rtol=1e-6)


def test_binary_is_that_of_the_positive_labels_odds():
    np.testing.assert_allclose(
        losses("binary", [1, 0], [[LOG(3)]] * 2), [LOG(4 / 3), LOG(4)], rtol=1e-6
    )


def test_multilabel_is_the_sum_over_the_labels():
    found = losses("multilabel", [[1, 0], [0, 0]], [[LOG(3), LOG(4)]] * 2)
    np.testing.assert_allclose(found, [LOG(4 / 3) + LOG(5), LOG(4) + LOG(5)], rtol=1e-6)


def test_regression_is_a_twentieth_of_the_squared_error():
    np.testing.assert_allclose(losses("regression", [3, -1], [[1.0], [-1.0]]), [0.2, 0])


@pytest.mark.parametrize(
    ("task", "label", "logits", "expected"),
    [
        ("multiclass", 0, [0, LOG(3)], 0.95 * LOG(4) + 0.05 * LOG(4 / 3)),
        ("binary", 1, [LOG(3)], 0.95 * LOG(4 / 3) + 0.05 * LOG(4)),
        ("multilabel", [1, 0], [LOG(3), 0], 0.95 * LOG(4 / 3) + 0.05 * LOG(4) + LOG(2)),
        ("regression", 3, [1], 0.2),
    ],
)
def test_smoothing_gives_every_class_its_share(task, label, logits, expected):
    found = losses(task, [label], [logits], LossConfig(label_smoothing=0.1))
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


@pytest.mark.parametrize(
    ("task", "label", "logits", "expected"),
    [
        ("multiclass", 0, [LOG(3), 0], 0.25**2 * LOG(4 / 3)),
        ("binary", 0, [LOG(3)], 0.75**2 * LOG(4)),
        ("multilabel", [1, 0], [LOG(3), 0], 0.25**2 * LOG(4 / 3) + 0.5**2 * LOG(2)),
    ],
)
def test_focal_loss_counts_what_is_known_less(task, label, logits, expected):
    found = losses(task, [label], [logits], LossConfig(label_smoothing=0, focal_gamma=2))
    np.testing.assert_allclose(found, [expected], rtol=1e-5)


@pytest.mark.parametrize("gamma", [0, 0.5, 2])
@pytest.mark.parametrize("smoothing", [0, 0.1])
@pytest.mark.parametrize(
    ("task", "labels"),
    [("multiclass", [0, 1]), ("binary", [0, 1]), ("multilabel", [[0, 1], [1, 0]])],
)
@pytest.mark.parametrize("size", [0, 20, 1e4, 1e30])
def test_losses_and_their_slopes_are_finite_at_extreme_logits(task, labels, gamma, smoothing, size):
    config = LossConfig(label_smoothing=smoothing, focal_gamma=gamma)
    known = TASKS[task]
    for sign in (1, -1):
        logits = tf.constant([[sign * size, -sign * size][: known.units(2)]] * 2, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = known.loss(tf.constant(labels, known.label(2).dtype), logits, config)
        assert np.isfinite(loss).all()
        assert np.isfinite(tape.gradient(loss, logits)).all()


def test_scores_are_right_answers_or_negated_errors():
    assert scores("multiclass", [1, 0], [[0.0, 1.0]] * 2) == [1, 0]
    assert scores("binary", [1, 0], [[0.5], [0.5]]) == [1, 0]
    assert scores("multilabel", [[1.0, 1.0]], [[2.0, -2.0]]) == [0.5]
    assert scores("regression", [3.0], [[1.0]]) == [-2]


def test_multiclass_serves_the_likeliest_class_and_every_probability():
    outputs = served("multiclass", [[0.0, LOG(3)]], ["cat", "dog"])
    np.testing.assert_allclose(outputs.pop("probabilities"), [[0.25, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(outputs.pop("score"), [0.75], rtol=1e-6)
    assert outputs == {"label": [b"dog"], "classes": [[b"cat", b"dog"]]}


@pytest.mark.parametrize(("threshold", "label"), [(0.5, b"spam"), (0.8, b"ham")])
def test_binary_serves_the_positive_label_from_the_threshold_on(threshold, label):
    outputs = served("binary", [[LOG(3)]], ["ham", "spam"], positive="spam", threshold=threshold)
    np.testing.assert_allclose(outputs.pop("probabilities"), [[0.25, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(outputs.pop("score"), [0.75], rtol=1e-6)
    assert outputs == {"label": [label], "classes": [[b"ham", b"spam"]]}


def test_multilabel_serves_those_from_the_threshold_on_the_likeliest_first():
    logits = [[0.0, -3.0, LOG(3)], [-1.0, -1.0, -1.0]]
    outputs = served("multilabel", logits, ["a", "b", "c"], separator=";")
    probabilities = outputs.pop("probabilities")
    np.testing.assert_allclose(probabilities[0], [0.5, 1 / (1 + math.e**3), 0.75], rtol=1e-6)
    assert outputs == {
        "label": [b"c;a", b""],
        "labels": [[b"c", b"a", b""], [b"", b"", b""]],
        "classes": [[b"a", b"b", b"c"]] * 2,
    }


def test_regression_serves_the_number():
    assert served("regression", [[1.5], [2.0]]) == {"value": [1.5, 2.0]}


@pytest.mark.parametrize("task", TASKS)
def test_no_examples_give_no_outputs(task):
    positive = {"positive": "a"} if task == "binary" else {}
    outputs = served(task, np.zeros([0, TASKS[task].units(2)], np.float32), ["b", "a"], **positive)
    assert all(value == [] for value in outputs.values())


@pytest.mark.parametrize(
    ("task", "labels", "known"),
    [
        ("multiclass", [0, -1, 2], [True, False, True]),
        ("binary", [0, -1, 1], [True, False, True]),
        ("multilabel", [[0, 0], [1, 0]], [True, True]),
        ("regression", [0, math.nan, math.inf], [True, False, False]),
    ],
)
def test_training_leaves_out_labels_that_are_not_known(task, labels, known):
    labels = tf.constant(labels, TASKS[task].label(2).dtype)
    assert TASKS[task].is_known(labels).numpy().tolist() == known


def test_the_positive_label_comes_second_whatever_the_vocabularys_order():
    config = LabelConfig(task="binary", positive="spam")
    for vocabulary in (["spam", "ham"], ["ham", "spam"]):
        assert TASKS["binary"].read_classes(vocabulary, config) == ["ham", "spam"]


@pytest.mark.parametrize("vocabulary", [[], ["spam"], ["ham"], ["ham", "eggs"], ["a", "b", "spam"]])
def test_binary_wants_two_labels_one_of_them_the_positive_one(vocabulary):
    with pytest.raises(DataError) as caught:
        TASKS["binary"].read_classes(vocabulary, LabelConfig(task="binary", positive="spam"))
    assert str(caught.value) == (
        "task: binary needs two labels in the training split, one of them label.positive "
        f"('spam').\n  Received: {sorted(vocabulary)!r}"
    )


def test_classifiers_want_two_classes():
    with pytest.raises(DataError) as caught:
        TASKS["multiclass"].read_classes(["one"], LabelConfig())
    message = "A classifier needs two classes or more; the training split has ['one']."
    assert str(caught.value) == message
    with pytest.raises(DataError) as caught:
        TASKS["multilabel"].read_classes(["one"], LabelConfig(task="multilabel"))
    assert str(caught.value) == (
        "task: multilabel needs two labels or more (label.separator is '|'); the training split "
        "has ['one']."
    )


def test_other_tasks_keep_the_vocabularys_order_and_numbers_have_no_classes():
    assert TASKS["multiclass"].read_classes(["b", "a"], LabelConfig()) == ["b", "a"]
    many = LabelConfig(task="multilabel")
    assert TASKS["multilabel"].read_classes(["b", "a"], many) == ["b", "a"]
    assert TASKS["regression"].read_classes([], LabelConfig(task="regression")) == []
