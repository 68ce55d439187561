"""What an example counts, by values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.errors import ConfigError, DataError
from trainer.config import LossConfig
from trainer.tasks.registry import TASKS

NAMES = ["cat", "dog", "cow"]
# Examples of each class: 6, 3, 1, in two batches.
BATCHES = [np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 2])]
# Of 4 examples 3 have the first label, 1 the second, none the third.
LABELS = [
    np.array([[1, 0, 0], [1, 1, 0]], np.float32),
    np.array([[1, 0, 0], [0, 0, 0]], np.float32),
]


def weigh(task, batches, given, labels, units, names=NAMES):
    """The loss of outputs that know nothing, as multiples of what it is without weights."""
    config = LossConfig(label_smoothing=0, class_weights=given)
    informed = TASKS[task].inform(batches, names, config)
    labels, logits = tf.constant(labels), tf.zeros([len(labels), units])
    plain = TASKS[task].loss(labels, logits, config)
    return (informed.loss(labels, logits, config) / plain).numpy()


def test_balanced_is_examples_by_classes_times_the_classs_own():
    found = weigh("multiclass", BATCHES, "balanced", [0, 1, 2], 3)
    np.testing.assert_allclose(found, [10 / (3 * 6), 10 / (3 * 3), 10 / (3 * 1)], rtol=1e-6)


def test_given_weights_keep_their_ratios_and_weigh_one_on_average():
    # 6 * 1 + 3 * 2 + 1 * 8 = 20, of 10 examples.
    found = weigh("multiclass", BATCHES, {"dog": 2, "cow": 8}, [0, 1, 2], 3)
    np.testing.assert_allclose(found, [0.5, 1, 4], rtol=1e-6)


def test_binary_weighs_both_labels():
    batches = [np.array([0, 0, 0, 1])]
    found = weigh("binary", batches, "balanced", [0, 1], 1, ["ham", "spam"])
    np.testing.assert_allclose(found, [4 / 6, 4 / 2], rtol=1e-6)


def test_multilabel_weighs_the_presence_of_each_label_against_its_absence():
    def each(given):
        rows = np.eye(3, dtype=np.float32)
        present = [weigh_one(given, rows[one], one) for one in range(3)]
        absent = [weigh_one(given, 1 - rows[one], one) for one in range(3)]
        return present, absent

    def weigh_one(given, row, one):
        config = LossConfig(label_smoothing=0, class_weights=given)
        task = TASKS["multilabel"].inform(LABELS, NAMES, config)
        # The others are all but certain and right, so that only one is left.
        logits = np.where(row > 0, 50, -50).astype(np.float32)
        logits[one] = 0
        return float(task.loss(row[None], tf.constant(logits[None]), config)[0]) / np.log(2)

    present, absent = each("balanced")
    np.testing.assert_allclose(present, [4 / (2 * 3), 4 / (2 * 1), 1], rtol=1e-6)
    np.testing.assert_allclose(absent, [4 / (2 * 1), 4 / (2 * 3), 1], rtol=1e-6)
    present, absent = each({"dog": 5})
    # (1 * 5 + 3) / 4 = 2 on average.
    np.testing.assert_allclose(present, [1, 5 / 2, 1], rtol=1e-6)
    np.testing.assert_allclose(absent, [1, 1 / 2, 1], rtol=1e-6)


def test_without_class_weights_no_label_is_read():
    for task in ("multiclass", "binary", "multilabel"):
        assert TASKS[task].inform(iter(lambda: 1 / 0, None), NAMES, LossConfig()) is TASKS[task]


@pytest.mark.parametrize(("task", "batches"), [("multiclass", BATCHES), ("multilabel", LABELS)])
def test_a_class_that_training_does_not_have_is_one_clear_error(task, batches):
    with pytest.raises(ConfigError) as caught:
        TASKS[task].inform(batches, NAMES, LossConfig(class_weights={"cat": 2, "dogs": 2}))
    assert str(caught.value) == (
        "train.loss.class_weights names a class that the training split does not have\n"
        "  Received: 'dogs'\n"
        "  Valid: cat, dog, cow\n"
        "  Did you mean 'dog'?"
    )


def test_weights_that_leave_nothing_to_learn_from_are_refused():
    given = dict.fromkeys(NAMES, 0.0)
    with pytest.raises(ConfigError) as caught:
        TASKS["multiclass"].inform(BATCHES, NAMES, LossConfig(class_weights=given))
    assert str(caught.value) == (
        "train.loss.class_weights leaves nothing to learn from\n"
        "  Received: {'cat': 0.0, 'dog': 0.0, 'cow': 0.0}"
    )


def test_a_number_is_learned_in_deviations_from_its_mean():
    batches = [np.array([100.0, 300.0]), np.array([100.0, 300.0])]
    task = TASKS["regression"].inform(batches, [], LossConfig())
    assert task.label_unit == (200, 100)
    found = task.loss(tf.constant([300.0]), tf.constant([[100.0]]), LossConfig())
    np.testing.assert_allclose(found, [0.05 * 2**2])


def test_numbers_that_are_all_the_same_are_one_clear_error():
    with pytest.raises(DataError) as caught:
        TASKS["regression"].inform([np.array([2.5, 2.5])], [], LossConfig())
    assert str(caught.value) == (
        "Every label of the training split is 2.5, so there is nothing to learn."
    )
