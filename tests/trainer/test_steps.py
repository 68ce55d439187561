import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from trainer.steps import spare_conversion


def train(spared, steps_per_execution=4):
    """Trains a small model for epochs that end within a call of the loop."""
    tf_keras.utils.set_random_seed(1)
    model = tf_keras.Sequential([tf_keras.layers.Dropout(0.1), tf_keras.layers.Dense(2)])
    model.build([None, 3])
    if spared:
        spare_conversion(model)
    optimizer = tf_keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, "mse", ["mae"], steps_per_execution=steps_per_execution)
    vectors = np.random.default_rng(1).normal(size=(30, 3)).astype(np.float32)
    data = tf.data.Dataset.from_tensor_slices((vectors, vectors[:, :2])).batch(5)
    history = model.fit(
        data.repeat(), validation_data=data, epochs=3, steps_per_epoch=6, verbose=0
    ).history
    return model, history


def test_the_loop_gives_the_weights_and_figures_that_keras_s_own_gives():
    (ours, history), (theirs, expected) = train(spared=True), train(spared=False)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert history == expected
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert ours.optimizer.iterations.numpy() == ours._train_counter.numpy() == 18


def test_one_step_a_call_is_a_loop_like_any():
    assert train(spared=True, steps_per_execution=1)[1] == train(spared=True)[1]


def test_the_loops_that_autograph_would_convert_are_not_made(monkeypatch):
    def refuse(model, force=False):
        raise AssertionError("Keras makes its own loop")

    monkeypatch.setattr(tf_keras.Model, "make_train_function", refuse)
    monkeypatch.setattr(tf_keras.Model, "make_test_function", refuse)
    train(spared=True)
    with pytest.raises(AssertionError, match="its own loop"):
        train(spared=False)
