"""Runs the embedding of all shards on Beam and keeps count.

The wiring only: what happens to one shard is in shards.py.
"""

import functools
import json
import posixpath
import threading
import time
from typing import Any

import apache_beam as beam
import tensorflow as tf
from absl import logging
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import import_utils

from components.embedder.shards import embed_shard
from preprocessing import progress
from preprocessing.source_file import write_source

REPORT_SECONDS = 1.0
COUNTS_FILE = "embedder.json"
# The split whose examples get augmented views: the one that is learned from.
TRAIN_SPLIT = "train"


class EmbedShards(beam.DoFn):
    """Embeds one shard for each element `(split, source, target, views)`.

    Yields `(name, split, count)` of every column that is counted.
    """

    def __init__(self, embed_fn: str, transform_graph: str, config: str, total: int) -> None:
        """Remembers what workers need to build the embedding function.

        Args:
            embed_fn: Dotted name of a function that takes the two that follow
                and returns the embedding function.
            transform_graph: Folder of Transform's output artifact.
            config: What the embedding function must know, as JSON.
            total: Vectors of all shards, for progress; 0 when not known.
        """
        self._embed_fn = embed_fn
        self._transform_graph = transform_graph
        self._config = config
        self._total = total

    def setup(self) -> None:
        """Loads the graph and the backbones, once for each worker."""
        module, _, name = self._embed_fn.rpartition(".")
        make = import_utils.import_func_from_module(module, name)
        self._embed = make(self._transform_graph, self._config)

    def process(self, shard: tuple[str, str, str, int]) -> Any:
        """Embeds one shard and counts what is to be counted of its examples."""
        split, source, target, views = shard
        embed = functools.partial(self._embed, views=views)
        for name, count in embed_shard(source, target, embed, self._advance).marked.items():
            yield name, split, count // (views + 1)

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
            exec_properties: `embed_fn` and `config`, see EmbedShards; `views`.
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
                (split, path, posixpath.join(target, _plain_name(path)), views)
                for path in _files(source)
            ]
        total = sum(_count_records(source) * (views + 1) for _, source, _, views in shards)
        logging.info("Making %d vectors from %d shards", total, len(shards))
        write_source(embeddings.uri, examples.uri)

        PROGRESS.restart()
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(shards)
                | "OneWorkerEach" >> beam.Reshuffle()
                | "Embed"
                >> beam.ParDo(
                    EmbedShards(
                        exec_properties["embed_fn"],
                        transform_graph,
                        exec_properties["config"],
                        total,
                    )
                )
                | "Together" >> beam.combiners.ToList()
                | "Count" >> beam.Map(write_counts, embeddings.uri)
            )


def write_counts(counts: list[tuple[str, str, int]], folder: str) -> None:
    """Writes what was counted, such as the texts that were cut short.

    Args:
        counts: `(name, split, count)` of each shard; the name of a count and
            its feature, such as `truncated/description`.
        folder: Where `embedder.json` goes.
    """
    content: dict[str, dict[str, dict[str, int]]] = {}
    for name, split, count in counts:
        what, _, feature = name.partition("/")
        splits = content.setdefault(what, {}).setdefault(feature, {})
        splits[split] = splits.get(split, 0) + count
    with tf.io.gfile.GFile(posixpath.join(folder, COUNTS_FILE), "w") as file:
        file.write(json.dumps(content, sort_keys=True, indent=2) + "\n")


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
