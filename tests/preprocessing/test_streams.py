import tensorflow as tf

from preprocessing.streams import each_record, untuned


def test_an_untuned_dataset_gives_the_same_and_stays_so_in_what_is_made_of_it():
    numbers = untuned(tf.data.Dataset.range(100))
    made = numbers.map(lambda one: one * 2, tf.data.AUTOTUNE).batch(10).prefetch(tf.data.AUTOTUNE)
    assert [int(one) for batch in made for one in batch] == list(range(0, 200, 2))
    assert made.options().autotune.enabled is False


def test_each_record_comes_once_and_in_order_whatever_their_number():
    for count in (0, 1, 64, 65, 200):
        records = [f"{number:03d}".encode() * number for number in range(count)]
        dataset = tf.data.Dataset.from_tensor_slices(tf.constant(records, tf.string))
        assert list(each_record(dataset)) == records
