"""Texts inside a shard: their vectors, and which of them were cut short."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.config import BackboneConfig, LabelConfig, TextFeature
from preprocessing.transform import TransformConfig, preprocessing_fn
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor
from trainer.embed import make_embed_fn
from trainer.model_config import EmbedConfig

TEXTS = ["The  cat", "the " * 31, "the " * 30, "cat " * 99]


@pytest.fixture(scope="module")
def config(tmp_path_factory, bert):
    handle = BackboneConfig(handle=f"hf:{bert}")
    return EmbedConfig(
        features={"text": TextFeature(kind="text", backbone=handle)},
        backbones={"text": vendor(handle, tmp_path_factory.mktemp("store"), bert)},
        label=LabelConfig(),
    )


@pytest.fixture(scope="module")
def transform_graph(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("transform")
    transform = TransformConfig(features=config.features, images={}, label=config.label)
    columns = {name: tf.io.FixedLenFeature([], tf.string) for name in ("text", "label")}
    raw = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(columns))
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        graph = ([{"text": b"a", "label": b"yes"}], raw) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, {"transform": transform.model_dump()})
        )
        _ = graph | tft_beam.WriteTransformFn(str(folder / "graph"))
    return str(folder / "graph")


def serialize(text):
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        for name, value in (("text", text), ("label", "yes"))
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture(scope="module")
def embed(transform_graph, config):
    """Gives `[texts, width]` vectors, and which texts were cut short."""

    def run(texts):
        examples = [serialize(text) for text in texts]
        slots = np.arange(len(texts))[:, np.newaxis]
        wanted = tf.data.Dataset.from_tensor_slices((examples, slots))
        embedding = make_embed_fn(transform_graph, config.model_dump_json())
        assert embedding.scan(tf.constant(examples)).stored["label"].tolist() == [0] * len(texts)
        batches = list(embedding.embed("text", wanted))
        order = np.argsort(np.concatenate([batch.slots for batch in batches]))
        vectors = np.concatenate([batch.vectors for batch in batches])[order]
        return vectors, np.concatenate([batch.cut for batch in batches])[order]

    return run


def test_vectors_are_the_backbones_and_what_was_cut_short_is_told(embed, config):
    vectors, cut = embed(TEXTS)
    expected = load(config.backbones["text"])(tf.constant(TEXTS))
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert cut.tolist() == [False, True, False, True]


def test_a_vector_is_the_same_to_the_last_bit_whatever_it_is_computed_with(embed):
    rng = np.random.default_rng(3)
    words = np.array(["the", "cat", "sat", "on", "mat", "hello", "world"])
    texts = [" ".join(rng.choice(words, rng.integers(1, 40))) for _ in range(70)]
    vectors, cut = embed(texts)
    order = rng.permutation(70)[:41]
    some, some_cut = embed([texts[place] for place in order])
    np.testing.assert_array_equal(some, vectors[order])
    np.testing.assert_array_equal(some_cut, cut[order])
    alone, _ = embed(texts[:1])
    np.testing.assert_array_equal(alone, vectors[:1])
