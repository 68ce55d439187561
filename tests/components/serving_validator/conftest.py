"""A tiny exported model, broken ones like it, and pictures with the training path's answers."""

import numpy as np
import pytest
import tensorflow as tf

from components.serving_validator.examples import Trial
from preprocessing.model_info import write_model_info

COLOURS = ([255, 0, 0], [0, 0, 255], [200, 10, 30], [9, 80, 240], [60, 60, 70])


def example(**columns):
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in columns.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


class Altered(tf.Module):
    """A model that does something to what another one gives."""

    def __init__(self, model, alter):
        super().__init__()
        self.model = model

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image")])
        def serve(image):
            return alter(model.predict({"image": image}))

        self.serve = serve


@pytest.fixture(scope="package")
def served(export_colours, tmp_path_factory):
    """The model in memory and its folder."""
    folder = tmp_path_factory.mktemp("validated") / "model"
    return export_colours(folder), folder


@pytest.fixture
def altered(served, tmp_path):
    """Exports the model with its outputs changed, and gives its folder."""

    def save(alter):
        model, _ = served
        folder = tmp_path / "altered"
        module = Altered(model, alter)
        tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
        write_model_info(model.info, str(folder))
        return folder

    return save


@pytest.fixture(scope="package")
def trial(served, picture):
    """Five pictures, red and blue ones, with the answers of the model in memory."""
    model, _ = served
    pictures = [picture(colour) for colour in COLOURS]
    labels = [b"red" if colour[0] > colour[2] else b"blue" for colour in COLOURS]
    pairs = zip(pictures, labels, strict=True)
    serialized = [example(image=one, label=label) for one, label in pairs]
    answers = {n: v.numpy() for n, v in model.predict({"image": tf.constant(pictures)}).items()}
    answers["classes"] = answers["classes"][:1]
    answers = {n: v.astype("S") if v.dtype == object else v for n, v in answers.items()}
    answers["label_id"] = np.array([int(label == b"blue") for label in labels])
    return Trial(serialized, answers, len(serialized))
