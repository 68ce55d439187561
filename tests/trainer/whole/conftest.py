"""Everything that a training needs on disk, and a way to train in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from preprocessing.config import BackboneConfig, ImageFeature, LabelConfig
from preprocessing.source_file import write_source
from trainer.backbones.vendor import vendor
from trainer.config import TrainConfig
from trainer.features import FeatureExtractor
from trainer.model_config import ModelConfig, RunConfig

ROOT = Path(__file__).resolve().parents[3]
TRAIN = {
    "epochs": 3,
    "batch_size": 16,
    "head": {"hidden": (4,)},
    "fine_tune": {"epochs": 4, "batch_size": 8, "learning_rate": 0.01},
}


class World:
    """Raw examples, their vectors, the transform graph and a backbone of two layers."""

    def __init__(self, folder, transform_graph, backbone):
        self.folder = folder
        self.transform_graph = transform_graph
        self.model = ModelConfig(
            features={"image": ImageFeature(backbone="hub:any")},
            backbones={"image": backbone},
            label=LabelConfig(),
        )
        self.extractor = FeatureExtractor(transform_graph, self.model)
        for split, size in (("train", 41), ("eval", 16)):
            self._write(split, size)
        write_source(str(folder / "vectors"), str(folder / "examples"))

    def config(self, **train):
        train = TrainConfig.model_validate({**TRAIN, **train})
        return RunConfig(**dict(self.model), train=train)

    def patterns(self, split):
        return [str(self.folder / "vectors" / f"Split-{split}" / "*")]

    def _write(self, split, size):
        random = np.random.default_rng(size)
        labels = np.arange(size) % 2
        pixels = random.integers(0, 160, [size, 4, 4, 3])
        pixels[labels == 0, ..., 0] += 60
        pixels[labels == 1, ..., 2] += 60
        pictures = [tf.io.encode_png(tf.constant(one, tf.uint8)).numpy() for one in pixels]
        inputs = self.extractor.preprocess({"image": tf.constant(pictures)})
        vectors = self.extractor.embed(inputs)["image"].numpy()
        names = [(b"red", b"blue")[label] for label in labels]
        write(self.folder / "examples" / f"Split-{split}", zip(pictures, names, strict=True))
        write(self.folder / "vectors" / f"Split-{split}", zip(vectors, labels, strict=True))


def write(folder, rows):
    """Writes `(image, label)` as tf.Examples."""
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "shard")) as writer:
        for image, label in rows:
            feature = {"image": as_feature(image), "label": as_feature(label)}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def as_feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if isinstance(value, np.ndarray):
        return tf.train.Feature(float_list=tf.train.FloatList(value=value))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


@pytest.fixture(scope="session")
def world(tmp_path_factory, transform_graph):
    folder = tmp_path_factory.mktemp("world")
    tf_keras.utils.set_random_seed(3)
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            layers.Conv2D(6, 3, activation="relu", input_shape=[4, 4, 3], name="first"),
            layers.Conv2D(5, 2, name="second"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    model.save(folder / "module", save_format="tf")
    backbone = vendor(BackboneConfig(handle=f"hub:{folder / 'module'}"), folder / "store", folder)
    return World(folder, transform_graph, backbone)


@pytest.fixture(scope="session")
def start(world):
    """Starts a training in a process of its own."""

    def start(folder, environment=None, die_at=0, devices=1, **train):
        folder.mkdir(exist_ok=True)
        order = {
            "config": world.config(**train).model_dump(mode="json"),
            "transform_graph": world.transform_graph,
            "files": [world.patterns("train"), world.patterns("eval")],
            "folder": str(folder),
            "die_at": die_at,
            "devices": devices,
        }
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("train_once.py")), json.dumps(order)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


class Result:
    """How a training in another process ended."""

    def __init__(self, process, folder):
        _, self.log = process.communicate(timeout=400)
        self.code = process.returncode
        path = folder / "result.npz"
        self.values = dict(np.load(path)) if path.is_file() else None


@pytest.fixture(scope="session")
def train_in_process(start):
    """Trains in a process of its own and waits for it."""

    def train(folder, **options):
        return Result(start(folder, **options), folder)

    return train


@pytest.fixture(scope="session")
def undisturbed(train_in_process, tmp_path_factory):
    """What head and backbones come to on one device, left in peace."""
    done = train_in_process(tmp_path_factory.mktemp("undisturbed"), mode="fine_tune")
    assert done.code == 0, done.log
    assert "goes on" not in done.log
    return done


@pytest.fixture(scope="session")
def undisturbed_head(train_in_process, tmp_path_factory):
    """What the head alone comes to on one device."""
    done = train_in_process(tmp_path_factory.mktemp("undisturbed_head"))
    assert done.code == 0, done.log
    return done
