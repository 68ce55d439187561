import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from trainer.config import HeadConfig
from trainer.head_inputs import HeadInput
from trainer.heads import VECTOR_LENGTH, NormalisedVector, adapt_head, build_head, scaled_inputs


def inputs_of(**widths):
    return {name: HeadInput(kind="vector", width=width) for name, width in widths.items()}


def test_a_vector_is_centred_evened_out_and_given_the_fixed_length():
    layer = NormalisedVector()
    layer.build(tf.TensorShape([None, 2]))
    # The root of each deviation is 2 and 1; the floor shifts them in the third digit.
    layer.adapt(np.array([1.0, 1.0]), np.array([16.0, 1.0]))
    # ((7, 5) - (1, 1)) / (2, 1) = (3, 4), which is 5 long.
    expected = [[0.6 * VECTOR_LENGTH, 0.8 * VECTOR_LENGTH]]
    np.testing.assert_allclose(layer(tf.constant([[7.0, 5.0]])), expected, rtol=2e-3)


def test_a_vector_equal_to_the_mean_becomes_zero_and_not_nan():
    layer = NormalisedVector()
    layer.build(tf.TensorShape([None, 2]))
    layer.adapt(np.array([3.0, 4.0]), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(layer(tf.constant([[3.0, 4.0]])), [[0.0, 0.0]])


def test_training_vectors_that_are_all_alike_do_not_divide_by_zero():
    layer = NormalisedVector()
    layer.build(tf.TensorShape([None, 2]))
    layer.adapt(np.array([0.0, 0.0]), np.array([0.0, 0.0]))
    expected = [[0.6 * VECTOR_LENGTH, 0.8 * VECTOR_LENGTH]]
    np.testing.assert_allclose(layer(tf.constant([[3.0, 4.0]])), expected, rtol=1e-6)


def test_features_are_concatenated_in_the_order_of_their_names():
    head = build_head(HeadConfig(), inputs_of(b=1, a=2), units=3)
    head.get_layer("logits").set_weights([np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    logits = head({"b": tf.constant([[-7.0]]), "a": tf.constant([[3.0, 4.0]])})
    expected = [[0.6 * VECTOR_LENGTH, 0.8 * VECTOR_LENGTH, -VECTOR_LENGTH]]
    np.testing.assert_allclose(logits, expected, rtol=1e-6)


def test_without_hidden_layers_only_a_matrix_and_a_bias_are_trained():
    head = build_head(HeadConfig(), inputs_of(image=4), units=3)
    assert [tuple(weight.shape) for weight in head.trainable_weights] == [(4, 3), (3,)]


def test_hidden_layers_come_in_the_order_given_each_with_its_dropout():
    head = build_head(HeadConfig(hidden=(8, 6), dropout=0.5), inputs_of(image=4), units=3)
    shapes = [tuple(weight.shape) for weight in head.trainable_weights]
    assert shapes == [(4, 8), (8,), (8, 6), (6,), (6, 3), (3,)]
    assert sum("dropout" in layer.name for layer in head.layers) == 3


def test_dropout_works_in_training_only():
    head = build_head(HeadConfig(dropout=0.5), inputs_of(image=64), units=1)
    head.get_layer("logits").set_weights([np.ones((64, 1), np.float32), np.zeros(1, np.float32)])
    vectors = {"image": tf.ones([1, 64])}
    np.testing.assert_allclose(head(vectors, training=False), [[8 * VECTOR_LENGTH]], rtol=1e-5)
    assert abs(head(vectors, training=True).numpy().item() - 8 * VECTOR_LENGTH) > 1e-3


def test_adapting_sets_the_statistics_of_each_feature():
    head = build_head(HeadConfig(), inputs_of(a=2, b=1), units=2)
    means = {"a": np.array([1.0, 2.0]), "b": np.array([3.0])}
    adapt_head(head, means, {"a": np.array([1.0, 1.0]), "b": np.array([16.0])})
    np.testing.assert_array_equal(head.get_layer("a_normalised").mean, [1.0, 2.0])
    np.testing.assert_array_equal(head.get_layer("b_normalised").mean, [3.0])
    np.testing.assert_allclose(head.get_layer("b_normalised").scale, [0.5], rtol=1e-3)


def test_a_seed_decides_the_initial_weights_and_layers_of_one_shape_differ():
    config = HeadConfig(hidden=(4, 4))
    first, same, other = (
        build_head(config, inputs_of(image=4), units=2, seed=seed) for seed in (1, 1, 2)
    )
    for one, two in zip(first.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    kernel = first.get_layer("hidden_1").kernel.numpy()
    assert not np.array_equal(kernel, other.get_layer("hidden_1").kernel)
    assert not np.array_equal(kernel, first.get_layer("hidden_2").kernel)


def test_a_missing_vector_is_zero_beside_its_indicator():
    inputs = {**inputs_of(a=2), "a_missing": HeadInput(kind="missing", width=1)}
    head = build_head(HeadConfig(), inputs, units=3)
    adapt_head(head, {"a": np.array([1.0, 1.0])}, {"a": np.array([1.0, 1.0])})
    head.get_layer("logits").set_weights([np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    given = {"a": tf.constant([[0.0, 0.0], [1.0, 4.0]]), "a_missing": tf.constant([[1.0], [0.0]])}
    # An indicator that stands alone has a vector's length.
    expected = [[0, 0, VECTOR_LENGTH], [0, VECTOR_LENGTH, 0]]
    np.testing.assert_allclose(head(given), expected, rtol=1e-6)


def test_numbers_and_categories_together_weigh_as_much_as_a_vector():
    inputs = {
        "word": HeadInput(kind="category", width=2),
        "price": HeadInput(kind="number", width=1),
        "price_missing": HeadInput(kind="missing", width=1),
        "size": HeadInput(kind="number", width=1),
    }
    given, parts = scaled_inputs(inputs)
    scaled = tf_keras.Model(given, parts)(
        {
            "word": tf.constant([[0.0, 1.0]]),
            "price": tf.constant([[-1.0]]),
            "price_missing": tf.constant([[1.0]]),
            # A number counts as three deviations from the mean at most.
            "size": tf.constant([[1e30]]),
        }
    )
    # Four of them: 10 / sqrt(4).
    found = {name: value.numpy().tolist() for name, value in scaled.items()}
    expected = {"price": [[-5]], "price_missing": [[5]], "size": [[15]], "word": [[0, 5]]}
    assert found == expected
    assert list(given) == list(parts) == sorted(inputs)


def test_a_number_is_predicted_in_the_labels_own_unit():
    head = build_head(HeadConfig(), inputs_of(a=1), units=1, label_unit=(200.0, 100.0))
    head.get_layer("logits").set_weights([np.array([[0.1]], np.float32), np.zeros(1, np.float32)])
    # Vectors are 10 long, so the logits are 1 and -1 deviations.
    np.testing.assert_allclose(head({"a": tf.constant([[7.0], [-7.0]])}), [[300], [100]])
    assert len(head.trainable_weights) == 2


@pytest.mark.parametrize("batch", [0, 1, 5])
def test_an_exported_head_keeps_its_statistics_and_takes_any_batch_size(tmp_path, batch):
    head = build_head(HeadConfig(hidden=(3,)), inputs_of(image=4), units=2, seed=1)
    adapt_head(head, {"image": np.arange(4.0)}, {"image": np.ones(4)})
    head.get_layer("logits").set_weights([np.ones((3, 2), np.float32), np.ones(2, np.float32)])
    module = tf.Module()
    module.head = head
    module.predict = tf.function(
        lambda image: head({"image": image}),
        input_signature=[tf.TensorSpec([None, 4], tf.float32)],
    )
    tf.saved_model.save(module, str(tmp_path))
    vectors = tf.random.stateless_normal([batch, 4], seed=[1, 2])
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.predict(vectors), head({"image": vectors}), rtol=1e-6)
    assert loaded.predict(vectors).shape == [batch, 2]
