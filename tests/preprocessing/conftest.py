"""What TFX does with a preprocessing function: analyse rows, write a graph, load it."""

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.config import LabelConfig
from preprocessing.kinds import raw_columns
from preprocessing.transform import TransformConfig, preprocessing_fn


class Transformed:
    """A transform graph on disk, and how it is applied."""

    def __init__(self, folder: str, columns: dict) -> None:
        self.output = tft.TFTransformOutput(folder)
        self._dtypes = {name: one.dtype for name, one in columns.items()}
        self._layer = self.output.transform_features_layer()

    def __call__(self, **columns) -> dict:
        """Applies the graph eagerly, in a graph and in tf.data, which must agree."""
        raw = {name: tf.constant(one, self._dtypes[name]) for name, one in columns.items()}
        eager = {name: one.numpy() for name, one in self._layer(raw).items()}
        graph = tf.function(self._layer)(raw)
        (piped,) = tf.data.Dataset.from_tensors(raw).map(self._layer)
        for name, values in eager.items():
            tf.debugging.assert_equal(tf.reduce_all(_same(values, graph[name])), True)
            tf.debugging.assert_equal(tf.reduce_all(_same(values, piped[name])), True)
        return eager


def _same(left, right):
    equal = tf.equal(left, right)
    if equal.dtype == tf.bool and right.dtype.is_floating:
        equal |= tf.math.is_nan(left) & tf.math.is_nan(right)
    return equal


@pytest.fixture(scope="module")
def analyse(tmp_path_factory):
    """Runs TFT's AnalyzeDataset for real over rows of the features and `label`."""

    def run(features: dict, rows: list[dict], label: LabelConfig | None = None, images=None):
        config = TransformConfig(
            features=features, images=images or {}, label=label or LabelConfig()
        )
        columns = {
            name: tf.io.FixedLenFeature([], one.dtype)
            for name, one in raw_columns(config.features).items()
        }
        columns["label"] = tf.io.FixedLenFeature([], tf.string)
        raw = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(columns))
        folder = tmp_path_factory.mktemp("transform")
        rows = [{"label": b"a", **row} for row in rows]
        with tft_beam.Context(temp_dir=str(folder / "tmp"), desired_batch_size=3):
            graph = (rows, raw) | tft_beam.AnalyzeDataset(
                lambda inputs: preprocessing_fn(inputs, {"transform": config.model_dump()})
            )
            _ = graph | tft_beam.WriteTransformFn(str(folder / "graph"))
        return Transformed(str(folder / "graph"), columns)

    return run
