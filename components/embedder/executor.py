"""Runs the embedding of all shards on Beam and keeps count.

The wiring only: what happens to one shard is in shards.py.
"""

import multiprocessing
import posixpath
import threading
import time
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import tensorflow as tf
from absl import logging
from apache_beam.options.pipeline_options import (
    DirectOptions,
    FlinkRunnerOptions,
    PipelineOptions,
    WorkerOptions,
)
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import import_utils

from components.embedder.config import StoreSettings, read_settings
from components.embedder.counts import Count, write_counts
from components.embedder.embedding import Embedding
from components.embedder.fill import open_spaces
from components.embedder.shards import Shard, embed_shards, group_shards, unfinished_folder
from components.embedder.store.usage import prune
from preprocessing import progress
from preprocessing.source_file import write_source

REPORT_SECONDS = 1.0
# Vectors that one worker makes of a feature before another gets the next shards.
GROUP_ROWS = 8192
# Groups for each of several workers: they do not all take equally long.
_GROUPS_EACH = 4
# The split whose examples get augmented views: the one that is learned from.
TRAIN_SPLIT = "train"


class EmbedShards(beam.DoFn):
    """Embeds some shards for each element, a list of them. Yields what is counted."""

    def __init__(
        self,
        embed_fn: str,
        transform_graph: str,
        config: str,
        store: str,
        vectors_digest: str,
        total: int,
    ) -> None:
        """Remembers what workers need to embed.

        Args:
            embed_fn: Dotted name of a function that takes the two that follow
                and returns what embeds, see embedding.py.
            transform_graph: Folder of Transform's output artifact.
            config: What the embedding must know, as JSON.
            store: Folder or address of the feature store; empty keeps nothing.
            vectors_digest: Digest of the code that makes vectors.
            total: Vectors of all shards, for progress; 0 when not known.
        """
        self._embed_fn = embed_fn
        self._transform_graph = transform_graph
        self._config = config
        self._store = store
        self._vectors_digest = vectors_digest
        self._total = total

    def setup(self) -> None:
        """Loads the graph and opens the store, once for each worker."""
        module, _, name = self._embed_fn.rpartition(".")
        make = import_utils.import_func_from_module(module, name)
        self._embedding: Embedding = make(self._transform_graph, self._config)
        self._spaces = open_spaces(self._store, self._embedding, self._vectors_digest)

    def process(self, shards: list[Shard]) -> Iterator[Count]:
        """Embeds some shards."""
        shards = [Shard(*one) for one in shards]
        yield from embed_shards(shards, self._embedding, self._spaces, self._advance)

    def _advance(self, examples: int) -> None:
        beam.metrics.Metrics.counter("embedder", "examples").inc(examples)
        PROGRESS.advance(examples, self._total)


class _Progress:
    """Examples finished by this process, reported at most once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """Forgets what an earlier run in this process has counted."""
        self._done = 0
        self._reported = 0.0

    def advance(self, examples: int, total: int) -> None:
        """Adds finished examples and reports when it is time."""
        with self._lock:
            self._done += examples
            now = time.monotonic()
            if now - self._reported >= REPORT_SECONDS or self._done == total:
                self._reported = now
                progress.report("Embedder", self._done, total, "examples")


PROGRESS = _Progress()


class Executor(base_beam_executor.BaseBeamExecutor):
    """Embeds every split of the input examples."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes one shard of vectors for each shard of examples, and embedder.json.

        Args:
            input_dict: `examples` and `transform_graph`.
            output_dict: `embeddings`, an Examples artifact with the same splits.
            exec_properties: `embed_fn`, `config` and `vectors_digest`, see
                EmbedShards; `views`; `store`, see config.read_settings.
        """
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        embeddings = artifact_utils.get_single_instance(output_dict["embeddings"])
        transform_graph = artifact_utils.get_single_uri(input_dict["transform_graph"])
        splits = artifact_utils.decode_split_names(examples.split_names)
        embeddings.split_names = examples.split_names

        shards = []
        for split in splits:
            target = artifact_utils.get_split_uri([embeddings], split)
            tf.io.gfile.makedirs(target)
            source = artifact_utils.get_split_uri([examples], split)
            views = exec_properties["views"] if split == TRAIN_SPLIT else 0
            shards += [
                Shard(
                    split,
                    path,
                    posixpath.join(target, _plain_name(path)),
                    views,
                    _count_records(path),
                )
                for path in _files(source)
            ]
        total = sum(shard.rows for shard in shards)
        logging.info("Making %d vectors from %d shards", total, len(shards))
        write_source(embeddings.uri, examples.uri)
        store = read_settings(exec_properties["store"])

        PROGRESS.restart()
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(group_shards(shards, self._group_rows(total)))
                | "OneWorkerEach" >> beam.Reshuffle()
                | "Embed"
                >> beam.ParDo(
                    EmbedShards(
                        exec_properties["embed_fn"],
                        transform_graph,
                        exec_properties["config"],
                        store.path,
                        exec_properties["vectors_digest"],
                        total,
                    )
                )
                | "Together" >> beam.combiners.ToList()
                | "Count" >> beam.Map(write_counts, embeddings.uri)
            )
        left = unfinished_folder(embeddings.uri)
        if tf.io.gfile.isdir(left):
            tf.io.gfile.rmtree(left)
        _keep_to_the_limit(store)

    def _group_rows(self, total: int) -> int:
        """Says how many vectors go to a worker at a time, so that every worker has some."""
        options = PipelineOptions([str(one) for one in self._beam_pipeline_args])
        workers = max(
            options.view_as(FlinkRunnerOptions).parallelism,
            # 0 stands for this machine's cores.
            options.view_as(DirectOptions).direct_num_workers or multiprocessing.cpu_count(),
            options.view_as(WorkerOptions).max_num_workers or 1,
        )
        if workers <= 1:
            return GROUP_ROWS
        return max(1, min(GROUP_ROWS, -(-total // (workers * _GROUPS_EACH))))


def _keep_to_the_limit(store: StoreSettings) -> None:
    """Deletes what has not been used for longest, where the store has grown too large."""
    if not store.path:
        return
    try:
        pruned = prune(store.path, store.max_bytes)
    except OSError as error:
        logging.warning("The feature store %s cannot be pruned: %s", store.path, error)
        return
    if pruned.segments:
        logging.info("Deleted %d bytes of the feature store: its limit", pruned.bytes)


def _files(folder: str) -> list[str]:
    return sorted(tf.io.gfile.glob(posixpath.join(folder, "*")))


def _plain_name(path: str) -> str:
    return posixpath.basename(path).removesuffix(".gz")


def _count_records(path: str) -> int:
    """Counts by the lengths alone where the file is not compressed."""
    if path.endswith(".gz"):
        return sum(1 for _ in tf.data.TFRecordDataset(path, compression_type="GZIP"))
    count = 0
    with tf.io.gfile.GFile(path, "rb") as file:
        size = file.size()
        position = 0
        while position < size:
            file.seek(position)
            position += int.from_bytes(file.read(8), "little") + 16
            count += 1
    return count
