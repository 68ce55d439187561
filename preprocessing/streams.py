"""What tf.data is spared where nothing comes of it."""

import tensorflow as tf

# For functions of tensors that are given to tf.data: AutoGraph would convert them and
# all that they call, a tenth of a second each, and find no control flow in it.
plain = tf.autograph.experimental.do_not_convert


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Has a dataset share out its work as it begins, one core a thread.

    Otherwise a thread of TensorFlow's tunes it, at intervals that double with time, and
    an iterator that has ended waits until the next one is over: 10 s after 10 s, up to
    a minute after a minute.

    Args:
        dataset: Any.

    Returns:
        The same elements.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
