import logging

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.errors import DataError, GraftError
from trainer import datasets
from trainer.callbacks import KeepBest
from trainer.config import HeadConfig, LossConfig, TrainConfig
from trainer.fit import fit_head
from trainer.head_inputs import HeadInput
from trainer.heads import build_head
from trainer.tasks.registry import TASKS

CENTRES = np.array([[4, 0, 0], [0, 4, 0], [0, 0, 4]])


def blobs(examples, seed, classes=3, noise=0.5):
    """Makes clouds around one centre for each class."""
    random = np.random.default_rng(seed)
    labels = np.arange(examples, dtype=np.int64) % classes
    vectors = CENTRES[labels] + noise * random.normal(size=(examples, 3))
    return vectors.astype(np.float32), labels


def of(vectors, labels):
    return tf.data.Dataset.from_tensor_slices(({"image": vectors}, labels))


def fit(tmp_path, config=None, train=None, evaluation=None):
    config = config or TrainConfig(epochs=5)
    inputs = {"image": HeadInput(kind="vector", width=3)}
    head = build_head(config.head, inputs, units=3, seed=config.seed)
    history = fit_head(
        head,
        of(*(train or blobs(90, 1))),
        of(*(evaluation or blobs(30, 2))),
        TASKS["multiclass"],
        config,
        str(tmp_path / "logs"),
    )
    return head, history


def accuracy(head, vectors, labels):
    return np.mean(np.argmax(head({"image": vectors}), axis=-1) == labels)


@pytest.mark.parametrize("hidden", [(), (16,)])
def test_separable_clouds_are_learned(tmp_path, hidden):
    config = TrainConfig(epochs=10, head=HeadConfig(hidden=hidden))
    head, history = fit(tmp_path, config)
    assert accuracy(head, *blobs(300, 3)) == 1.0
    assert history["loss"][-1] < history["loss"][0]
    assert set(history) == {"loss", "accuracy", "eval_loss", "eval_accuracy"}
    assert all(len(values) == 10 for values in history.values())


def test_the_statistics_of_the_training_vectors_are_in_the_head(tmp_path):
    train = blobs(90, 1)
    head, _ = fit(tmp_path, train=train)
    np.testing.assert_allclose(head.get_layer("image_normalised").mean, train[0].mean(0), rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 2**20])
def test_the_same_seed_gives_the_same_weights_to_the_bit(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(datasets.scan, "__defaults__", (limit,))
    head = HeadConfig(hidden=(8,), dropout=0.3)
    first, same, other = (
        fit(tmp_path, TrainConfig(epochs=2, batch_size=16, seed=seed, head=head))[0].get_weights()
        for seed in (1, 1, 2)
    )
    for one, two in zip(first, same, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[-1], other[-1])


def test_it_stops_once_the_eval_loss_no_longer_falls_and_restores_the_best(tmp_path):
    vectors, labels = blobs(30, 2)
    # Training teaches the opposite of what eval holds: the first epoch is best.
    wrong = vectors, (labels + 1) % 3
    config = TrainConfig(epochs=20, patience=3, learning_rate=1e-3)
    head, history = fit(tmp_path, config, evaluation=wrong)
    less, earlier = fit(tmp_path, config.model_copy(update={"patience": 1}), evaluation=wrong)
    assert len(history["eval_loss"]) == len(earlier["eval_loss"]) + 2 < 20
    for one, two in zip(head.get_weights(), less.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    best = len(history["eval_loss"]) - 3
    assert max(history["eval_loss"][:best]) < min(history["eval_loss"][best:])


def fit_task(tmp_path, name, labels, inputs, units=1, classes=(), **options):
    """Fits a linear head to the first 200 of 300 examples; gives its outputs on the last 50."""
    config = TrainConfig(epochs=20, **options)
    known = labels[:200][np.asarray(TASKS[name].is_known(labels[:200]))]
    task = TASKS[name].inform([known], classes, config.loss)
    kinds = {key: HeadInput(kind="number", width=value.shape[1]) for key, value in inputs.items()}
    head = build_head(config.head, kinds, units, label_unit=task.label_unit)

    def rows(part):
        vectors = {key: value[part] for key, value in inputs.items()}
        return tf.data.Dataset.from_tensor_slices((vectors, labels[part]))

    train, evaluation = rows(slice(0, 200)), rows(slice(200, 250))
    history = fit_head(head, train, evaluation, task, config, str(tmp_path / "logs"))
    return head({key: value[250:] for key, value in inputs.items()}).numpy(), history


def numbers(seed=0):
    values = np.random.default_rng(seed).normal(size=(300, 2)).astype(np.float32)
    return values, {"a": values[:, :1], "b": values[:, 1:]}


@pytest.mark.parametrize(("unit", "offset"), [(1, 0), (1e-6, 0), (1e6, 1e7)])
def test_a_number_is_learned_whatever_its_unit(tmp_path, caplog, unit, offset):
    values, inputs = numbers()
    expected = ((values[:, 0] - 2 * values[:, 1]) * unit + offset).astype(np.float32)
    labels = expected.copy()
    labels[:20] = np.nan
    with caplog.at_level(logging.WARNING):
        found, history = fit_task(tmp_path, "regression", labels, inputs)
    errors = np.abs(found[:, 0] - expected[250:]) / unit
    # A few examples lie further out than scaled_inputs lets numbers be.
    assert np.median(errors) < 0.1
    assert set(history) == {
        "loss",
        "eval_loss",
        "negative_absolute_error",
        "eval_negative_absolute_error",
    }
    message = "20 examples of the train split are left out: their label is not a number"
    assert message in caplog.text


@pytest.mark.slow
def test_two_labels_and_several_at_once_are_learned(tmp_path):
    values, inputs = numbers()
    positive = values > 0
    found, _ = fit_task(tmp_path, "binary", positive[:, 0].astype(np.int64), inputs)
    assert np.mean((found[:, 0] > 0) == positive[250:, 0]) > 0.95
    found, _ = fit_task(tmp_path, "multilabel", positive.astype(np.float32), inputs, units=2)
    assert np.mean((found > 0) == positive[250:]) > 0.95


@pytest.mark.slow
def test_balanced_weights_find_more_of_a_rare_class(tmp_path):
    values, inputs = numbers()
    noise = np.random.default_rng(1).normal(size=300)
    labels = (values[:, 0] + noise > 1.8).astype(np.int64)

    def share_found(weights):
        loss = LossConfig(class_weights=weights)
        found, _ = fit_task(tmp_path, "binary", labels, inputs, classes=["no", "yes"], loss=loss)
        return np.mean(found[labels[250:] == 1, 0] > 0)

    assert share_found("balanced") > share_found(None) + 0.3


class Counting:
    """Stands for a model whose weights are the number of the epoch."""

    stop_training = False
    weights = 0

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


@pytest.mark.parametrize(
    ("losses", "best", "stopped_after"),
    [
        # A variance of 1 over 100 examples: one standard error is 0.1.
        ([3.0, 1.0, 1.09, 1.11], 3, None),
        ([3.0, 1.0, 1.05, 0.9, 1.05], 4, None),
        ([3.0, 1.0, 2.0, 2.0, 2.0], 2, 4),
        ([1.0, 2.0, 1.05, 2.0, 2.0], 3, 5),
    ],
)
def test_the_last_epoch_within_one_standard_error_of_the_lowest_loss_is_restored(
    losses, best, stopped_after
):
    keep = KeepBest(patience=2, examples=100)
    keep.model = Counting()
    stopped = None
    for epoch, loss in enumerate(losses, start=1):
        keep.model.weights = epoch
        keep.on_epoch_end(epoch - 1, {"val_loss": loss, "val_squared_loss": loss**2 + 1})
        if keep.model.stop_training:
            stopped = epoch
            break
    keep.on_train_end()
    assert (keep.best_epoch, keep.model.weights, stopped) == (best, best, stopped_after)


def test_a_batch_larger_than_the_data_still_learns(tmp_path):
    head, _ = fit(tmp_path, TrainConfig(epochs=10, batch_size=4096), train=blobs(9, 1))
    assert accuracy(head, *blobs(300, 3)) == 1.0


def test_an_eval_split_that_lacks_classes_and_holds_unknown_ones_is_fine(tmp_path, caplog):
    vectors, labels = blobs(20, 2, classes=2)
    labels[:5] = -1
    with caplog.at_level(logging.WARNING):
        _, history = fit(tmp_path, evaluation=(vectors, labels))
    assert history["eval_accuracy"][-1] == 1.0
    message = "5 examples of the eval split are left out: the training split lacks their class"
    assert message in caplog.text


def test_a_split_with_nothing_to_learn_from_is_one_clear_error(tmp_path):
    vectors, labels = blobs(3, 2)
    with pytest.raises(DataError) as caught:
        fit(tmp_path, evaluation=(vectors, np.full_like(labels, -1)))
    assert str(caught.value) == (
        "The eval split has no examples whose label training knows, and the head needs "
        "some in both: train to learn from, eval to tell when to stop."
    )


def test_a_loss_that_is_not_a_number_says_what_to_change(tmp_path):
    with pytest.raises(GraftError) as caught:
        fit(tmp_path, TrainConfig(learning_rate=1e38, head=HeadConfig(hidden=(4,))))
    assert str(caught.value) == (
        "Training diverged: the loss is not a finite number after epoch 1. "
        "Make train.learning_rate (now 1e+38) ten times smaller.\n"
        "  Received: [nan, nan]"
    )


def test_every_epoch_is_reported_and_written_for_tensorboard(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="graft.progress"):
        fit(tmp_path, TrainConfig(epochs=3))
    reports = [record for record in caplog.records if record.name == "graft.progress"]
    assert [record.getMessage() for record in reports] == [
        "Trainer 1/3 epochs",
        "Trainer 2/3 epochs",
        "Trainer 3/3 epochs",
    ]
    for split in ("train", "validation"):
        assert list((tmp_path / "logs" / split).glob("events.out.tfevents*"))
