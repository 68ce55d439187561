"""A whole model whose outputs can be worked out by hand, and the parts that it is made of.

tests/conftest.py hands these fixtures to every test.
"""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.config import BackboneConfig, ImageFeature, LabelConfig
from preprocessing.inputs import ImageInput
from preprocessing.transform import TransformConfig, preprocessing_fn
from trainer.backbones.vendor import vendor
from trainer.config import HeadConfig
from trainer.export import ServedModel, export
from trainer.features import FeatureExtractor
from trainer.heads import build_head
from trainer.model_config import ModelConfig


class MeanColour(tf.Module):
    """Feature vector of a picture: its mean red, green and blue, 0 to 1."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(1.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 3], tf.float32)])
    def __call__(self, images):
        return tf.reduce_mean(images, axis=[1, 2]) * self.scale


@pytest.fixture(scope="session")
def picture():
    """Encodes a picture of one colour, such as [255, 0, 0]."""

    def encode(colour, size=(5, 7)):
        return tf.io.encode_png(tf.broadcast_to(tf.constant(colour, tf.uint8), [*size, 3])).numpy()

    return encode


@pytest.fixture(scope="session")
def mean_colour(tmp_path_factory):
    """The vendored record of MeanColour, read as any hub: SavedModel."""
    folder = tmp_path_factory.mktemp("mean_colour")
    module = MeanColour()
    tf.saved_model.save(module, str(folder / "model"), signatures=module.__call__)
    config = BackboneConfig(handle=f"hub:{folder / 'model'}")
    return vendor(config, folder / "store", folder)


@pytest.fixture(scope="session")
def transform_graph(tmp_path_factory, picture):
    """Transform's output over six pictures of the classes red (4) and blue (2)."""
    rows = [{"image": picture([255, 0, 0]), "label": b"red"}] * 4
    rows += [{"image": picture([0, 0, 255]), "label": b"blue"}] * 2
    config = TransformConfig(
        features={"image": ImageFeature(backbone="hub:any")},
        images={"image": ImageInput(height=4, width=4, input_range=(0.0, 1.0))},
        label=LabelConfig(),
    )
    columns = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "label")}
    raw = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(columns))
    folder = tmp_path_factory.mktemp("transform")
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        graph = (rows, raw) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, {"transform": config.model_dump()})
        )
        _ = graph | tft_beam.WriteTransformFn(str(folder / "graph"))
    assert tft.TFTransformOutput(str(folder / "graph")).vocabulary_by_name("label")
    return str(folder / "graph")


@pytest.fixture(scope="session")
def export_colours(transform_graph, mean_colour):
    """Exports a model that tells red pictures from blue ones.

    The larger `sharpness`, the surer it is; below zero it calls red ones blue.
    """

    def export_to(folder, sharpness=1.0, temperature=1.0, tensors=False):
        config = ModelConfig(
            features={"image": ImageFeature(backbone="hub:any")},
            backbones={"image": mean_colour},
            label=LabelConfig(),
        )
        extractor = FeatureExtractor(transform_graph, config)
        head = build_head(HeadConfig(), extractor.head_inputs, 2)
        head.get_layer("logits").set_weights(
            [sharpness * np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]), np.zeros(2)]
        )
        model = ServedModel(extractor, head, ["red", "blue"], temperature)
        export(model, str(folder), tensors)
        return model

    return export_to


@pytest.fixture(scope="session")
def colours_model(export_colours, tmp_path_factory):
    """Folder of such a model."""
    folder = tmp_path_factory.mktemp("colours") / "model"
    export_colours(folder)
    return folder
