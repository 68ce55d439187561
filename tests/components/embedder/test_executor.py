"""The Embedder on real artifacts: views for what is learned from, and the way back."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, standard_artifacts

from components.embedder.config import StoreSettings, write_settings
from components.embedder.executor import GROUP_ROWS, Executor
from components.embedder.store.usage import read_usage
from trainer.embed import Scanned, VectorColumn, Vectors

VIEWS = 2


def make_numbers(transform_graph, config):
    """An embedding function whose vectors are the example's number, then each view's."""
    return Numbers()


class Numbers:
    columns = {
        "vector": VectorColumn(
            width=1,
            dtype="float32",
            seeded=True,
            marked=False,
            identity={},
            views={},
            about={"kind": "image"},
        )
    }

    def scan(self, serialized):
        return Scanned({}, {"vector": serialized.numpy()})

    def seeds(self, serialized, view):
        return np.full([len(serialized), 2], view)

    def embed(self, name, wanted):
        for serialized, slots in wanted.as_numpy_iterator():
            vectors = 10 * int(serialized) + np.arange(len(slots), dtype=np.float32)
            yield Vectors(slots, vectors[:, None], np.zeros(len(slots), bool))


@pytest.fixture
def max_bytes():
    return 1e9


@pytest.fixture
def embeddings(tmp_path, max_bytes):
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
    # What a worker that was lost had begun.
    (tmp_path / "embeddings" / ".unfinished").mkdir(parents=True)
    (tmp_path / "embeddings" / ".unfinished" / "half").write_bytes(b"half a record")
    store = StoreSettings(path=str(tmp_path / "store"), max_bytes=max_bytes)
    settings = write_settings(store, tmp_path)
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"],
        tmp_dir=str(tmp_path / "tmp"),
        unique_id="1",
    )
    Executor(context).Do(
        {"examples": [examples], "transform_graph": [graph]},
        {"embeddings": [embeddings]},
        {
            "embed_fn": f"{__name__}.make_numbers",
            "config": "{}",
            "views": VIEWS,
            "vectors_digest": "",
            "store": str(settings),
        },
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


def test_vectors_are_kept_and_counted(embeddings, tmp_path):
    # The examples of all splits are the same.
    (usage,) = read_usage(str(tmp_path / "store"))
    assert usage.entries == 9
    counts = json.loads((tmp_path / "embeddings" / "embedder.json").read_text())["vectors"]
    assert counts == {"vector": {"new": 9, "kept": 0, "duplicates": 6, "recomputed": 0}}


def test_nothing_stays_of_what_a_lost_worker_had_begun(embeddings, tmp_path):
    left = {str(one.relative_to(tmp_path / "embeddings")) for one in found(tmp_path / "embeddings")}
    assert left == {"source.json", "embedder.json"} | {
        f"Split-{split}/data" for split in ("train", "eval", "test")
    }


def found(folder):
    return [one for one in folder.rglob("*") if one.is_file()]


@pytest.mark.parametrize(
    ("args", "rows"),
    [
        (["--runner=FnApiRunner"], GROUP_ROWS),
        (["--parallelism=1"], GROUP_ROWS),
        (["--parallelism=2"], 1000),
        (["--direct_running_mode=multi_processing", "--direct_num_workers=4"], 500),
        (["--max_num_workers=1000"], 2),
    ],
)
def test_shards_are_given_out_so_that_every_worker_has_some(args, rows):
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=[*args, "--sdk_container_image=unused"]
    )
    assert Executor(context)._group_rows(8000) == rows
    assert Executor(context)._group_rows(0) in (1, GROUP_ROWS)


@pytest.mark.parametrize("max_bytes", [1.0])
def test_a_run_prunes_to_its_limit_and_its_artifact_stays_whole(embeddings, tmp_path):
    assert read_usage(str(tmp_path / "store")) == []
    assert numbers(embeddings, "eval") == [0, 10, 20]


def test_0_workers_are_as_many_as_this_machine_has_cores(monkeypatch):
    monkeypatch.setattr("multiprocessing.cpu_count", lambda: 4)
    args = ["--direct_running_mode=multi_processing", "--direct_num_workers=0"]
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=[*args, "--sdk_container_image=unused"]
    )
    assert Executor(context)._group_rows(8000) == 500
