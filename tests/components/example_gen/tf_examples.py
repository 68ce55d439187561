"""tf.Examples as others write them."""

import tensorflow as tf

from preprocessing.config import ImageFeature, TextFeature

IMAGE = ImageFeature(backbone="hub:x")
NOTE = {"note": TextFeature(kind="text", backbone="hub:x")}


def serialized(**columns) -> bytes:
    """A tf.Example; a list is a column of several values, None one of no kind."""
    features = {}
    for name, value in columns.items():
        values = value if isinstance(value, list) else [value]
        if value is None:
            features[name] = tf.train.Feature()
        elif not values:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList())
        elif isinstance(values[0], bytes):
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        elif isinstance(values[0], int):
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        else:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
