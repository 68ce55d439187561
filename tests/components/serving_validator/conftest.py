"""A tiny exported model, pictures to try it on, and what the training path says of them."""

import numpy as np
import pytest
import tensorflow as tf

from components.serving_validator.examples import Trial

COLOURS = ([255, 0, 0], [0, 0, 255], [200, 10, 30], [9, 80, 240], [60, 60, 70])


def example(**columns):
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in columns.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture(scope="package")
def served(export_colours, tmp_path_factory):
    """The model in memory and its folder."""
    folder = tmp_path_factory.mktemp("validated") / "model"
    return export_colours(folder), folder


@pytest.fixture(scope="package")
def trial(served, picture):
    """Five pictures, red and blue ones, with the answers of the model in memory."""
    model, _ = served
    pictures = [picture(colour) for colour in COLOURS]
    labels = [b"red" if colour[0] > colour[2] else b"blue" for colour in COLOURS]
    serialized = [
        example(image=one, label=label) for one, label in zip(pictures, labels, strict=True)
    ]
    answers = {n: v.numpy() for n, v in model.predict({"image": tf.constant(pictures)}).items()}
    answers["classes"] = answers["classes"][:1]
    answers = {n: v.astype("S") if v.dtype == object else v for n, v in answers.items()}
    answers["label_id"] = np.array([int(label == b"blue") for label in labels])
    return Trial(serialized, answers, len(serialized))
