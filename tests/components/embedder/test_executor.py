"""The Embedder on real artifacts: views for what is learned from, and the way back."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, standard_artifacts

from components.embedder.executor import Executor

VIEWS = 2


def make_numbers(transform_graph, config):
    """An embedding function whose vectors are the example's number, then each view's."""

    def embed(serialized, views):
        for one in serialized.as_numpy_iterator():
            versions = np.arange(views + 1, dtype=np.float32)
            yield {"vector": versions[:, None] + 10 * int(one)}

    return embed


@pytest.fixture
def embeddings(tmp_path):
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    examples.split_names = artifact_utils.encode_split_names(["train", "eval", "test"])
    for split in ("train", "eval", "test"):
        folder = tmp_path / "examples" / f"Split-{split}"
        folder.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(folder / "data.gz"), "GZIP") as writer:
            for number in range(3):
                writer.write(str(number).encode())
    graph = standard_artifacts.TransformGraph()
    graph.uri = str(tmp_path / "graph")
    embeddings = standard_artifacts.Examples()
    embeddings.uri = str(tmp_path / "embeddings")
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"],
        tmp_dir=str(tmp_path / "tmp"),
        unique_id="1",
    )
    Executor(context).Do(
        {"examples": [examples], "transform_graph": [graph]},
        {"embeddings": [embeddings]},
        {"embed_fn": f"{__name__}.make_numbers", "config": "{}", "views": VIEWS},
    )
    return embeddings


def numbers(embeddings, split):
    column = {"vector": tf.io.FixedLenFeature([1], tf.float32)}
    path = f"{embeddings.uri}/Split-{split}/data"
    return [
        int(tf.io.parse_single_example(one, column)["vector"][0])
        for one in tf.data.TFRecordDataset(path)
    ]


def test_only_the_training_split_has_views_and_the_source_is_noted(embeddings, tmp_path):
    assert embeddings.split_names == '["train", "eval", "test"]'
    assert numbers(embeddings, "train") == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert numbers(embeddings, "eval") == numbers(embeddings, "test") == [0, 10, 20]
    note = json.loads((tmp_path / "embeddings" / "source.json").read_text())
    assert note == {"examples": str(tmp_path / "examples")}
