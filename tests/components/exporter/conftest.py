"""Whole tiny models as the Trainer exports them, and examples that they are judged on."""

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from components.exporter.tfjs import what_is_missing
from preprocessing.inputs import ImageInput
from preprocessing.kinds import raw_columns
from preprocessing.transform import TransformConfig, preprocessing_fn
from trainer.config import HeadConfig
from trainer.export import ServedModel, export
from trainer.features import FeatureExtractor
from trainer.heads import build_head
from trainer.model_config import ModelConfig
from trainer.tasks.registry import TASKS


class World(NamedTuple):
    """A model and the folders of its examples, `train` and `eval`."""

    model: str
    splits: dict


@pytest.fixture(scope="session")
def tfjs_tools():
    """Skips where TensorFlow.js models cannot be made or run."""
    missing = what_is_missing(check=True)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def write_splits():
    """Writes rows as the examples of both splits."""

    def write(folder, train, evaluation):
        splits = {}
        for split, rows in (("train", train), ("eval", evaluation)):
            splits[split] = str(folder / f"Split-{split}")
            (folder / f"Split-{split}").mkdir(parents=True)
            with tf.io.TFRecordWriter(f"{splits[split]}/data.gz", "GZIP") as writer:
                for row in rows:
                    writer.write(as_example(row))
        return splits

    return write


@pytest.fixture(scope="session")
def build_world(tmp_path_factory, write_splits):
    """Exports a model with random weights in its head, and writes its examples."""

    def build(features, backbones, rows, label):
        folder = tmp_path_factory.mktemp("world")
        config = ModelConfig(features=features, backbones=backbones, label=label)
        extractor = FeatureExtractor(analyse(folder, config, rows), config)
        classes = []
        if label.task != "regression":
            words = extractor.transform_output.vocabulary_by_name("label")
            classes = TASKS[label.task].read_classes([word.decode() for word in words], label)
        units = TASKS[label.task].units(len(classes))
        head = build_head(HeadConfig(hidden=(4,)), extractor.head_inputs, units)
        random = np.random.default_rng(0)
        for weights in head.trainable_weights:
            weights.assign(random.normal(size=weights.shape, scale=0.3))
        export(ServedModel(extractor, head, classes), str(folder / "model"), tensors=True)
        return World(str(folder / "model"), write_splits(folder, rows, rows))

    return build


def analyse(folder, config, rows):
    """Runs Transform's analysis over some rows; gives the folder of its graph."""
    inputs = {name: one.input for name, one in config.backbones.items()}
    transform = TransformConfig(
        features=config.features,
        images={name: one for name, one in inputs.items() if isinstance(one, ImageInput)},
        label=config.label,
    )
    columns = {**raw_columns(config.features), "label": tf.io.FixedLenFeature([], tf.string)}
    spec = {name: tf.io.FixedLenFeature([], one.dtype) for name, one in columns.items()}
    raw = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        graph = (rows, raw) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, {"transform": transform.model_dump()})
        )
        _ = graph | tft_beam.WriteTransformFn(str(folder / "graph"))
    return str(folder / "graph")


def as_example(row):
    kinds = {float: ("float_list", tf.train.FloatList), bytes: ("bytes_list", tf.train.BytesList)}
    feature = {}
    for name, value in row.items():
        key, make = kinds[type(value)]
        feature[name] = tf.train.Feature(**{key: make(value=[value])})
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
