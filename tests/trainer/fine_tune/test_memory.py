"""Four times the pictures take no more memory: pixels exist for a few batches alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.config import ImageFeature, LabelConfig
from preprocessing.inputs import ImageInput
from preprocessing.transform import TransformConfig, preprocessing_fn

ROOT = Path(__file__).resolve().parents[3]
SIDE = 320
BYTES_OF_PIXELS = SIDE * SIDE * 3 * 4

# An extractor without a backbone; says how many examples came and the peak of memory in MiB.
_READ = """
import resource, sys
from preprocessing.config import ImageFeature, LabelConfig
from trainer.features import FeatureExtractor
from trainer.fine_tune.examples import find_examples, make_training_batches
from trainer.model_config import ModelConfig

image = ImageFeature(backbone="hub:any")
config = ModelConfig(features={"image": image}, backbones={}, label=LabelConfig())
extractor = FeatureExtractor(sys.argv[1], config)
examples = find_examples(sys.argv[2], extractor, lambda labels: labels >= 0)
batches = make_training_batches(examples, extractor, 16, range(1), 0, None)
read = sum(int(labels.shape[0]) for _, labels in batches)
print(read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def serialize(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, [8, 8, 3])
    large = tf.cast(tf.image.resize(pixels, [SIDE, SIDE]), tf.uint8)
    values = {"image": tf.io.encode_jpeg(large).numpy(), "label": (b"a", b"b")[seed % 2]}
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
    }
    return values, tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_examples(tmp_path):
    rows, serialized = zip(*(serialize(seed) for seed in range(10)), strict=True)
    config = TransformConfig(
        features={"image": ImageFeature(backbone="hub:any")},
        images={"image": ImageInput(height=SIDE, width=SIDE, input_range=(0.0, 1.0))},
        label=LabelConfig(),
    )
    columns = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "label")}
    raw = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(columns))
    graph = str(tmp_path / "graph")
    with tft_beam.Context(temp_dir=str(tmp_path / "tmp")):
        _ = (
            (list(rows), raw)
            | tft_beam.AnalyzeDataset(
                lambda inputs: preprocessing_fn(inputs, {"transform": config.model_dump()})
            )
            | tft_beam.WriteTransformFn(graph)
        )
    peaks = []
    for times in (30, 120):
        path = tmp_path / f"{times}"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for one in serialized * times:
                writer.write(one)
        done = subprocess.run(
            [sys.executable, "-c", _READ, graph, str(path)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        read, peak = map(int, done.stdout.split())
        assert read == 10 * times
        peaks.append(peak)
    materialised = (1200 - 300) * BYTES_OF_PIXELS / 2**20
    assert materialised > 1000
    assert peaks[1] - peaks[0] < materialised / 10
