import tensorflow as tf

from preprocessing.streams import untuned


def test_an_untuned_dataset_gives_the_same_and_stays_so_in_what_is_made_of_it():
    numbers = untuned(tf.data.Dataset.range(100))
    made = numbers.map(lambda one: one * 2, tf.data.AUTOTUNE).batch(10).prefetch(tf.data.AUTOTUNE)
    assert [int(one) for batch in made for one in batch] == list(range(0, 200, 2))
    assert made.options().autotune.enabled is False
