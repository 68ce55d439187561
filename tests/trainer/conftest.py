"""A transform graph and a backbone whose outputs can be worked out by hand."""

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.config import BackboneConfig, ImageFeature, LabelConfig
from preprocessing.inputs import ImageInput
from preprocessing.transform import TransformConfig, preprocessing_fn
from trainer.backbones.vendor import vendor


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
