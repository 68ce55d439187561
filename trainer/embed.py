"""What the Embedder runs inside a shard: serialized examples to vectors.

Decoding runs in parallel in `tf.data`, ahead of the backbone; batches are
bounded, so memory does not depend on how many examples a shard holds.
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from preprocessing.config import Record
from trainer.backbones.record import Backbone
from trainer.features import Backbones, load_extractor

BATCH_EXAMPLES = 32


class EmbedConfig(Record):
    """What the Embedder must know of the run; crosses TFX as JSON."""

    backbones: dict[str, Backbone]
    label: str


@functools.lru_cache(maxsize=1)
def make_embed_fn(
    transform_graph: str, config_json: str
) -> Callable[[tf.data.Dataset], Iterator[dict[str, np.ndarray]]]:
    """Builds the function that turns one shard into feature vectors.

    Loading and tracing take seconds, so one process keeps the last one built.

    Args:
        transform_graph: Folder of Transform's output artifact.
        config_json: An `EmbedConfig` as JSON.

    Returns:
        A function from a dataset of serialized tf.Examples to batches: for
        each feature `[batch, feature_width]` float32, for the label `[batch]`
        int64, in the dataset's order.
    """
    config = EmbedConfig.model_validate_json(config_json)
    extractor = load_extractor(transform_graph, Backbones(config.backbones).model_dump_json())
    columns = {
        name: tf.io.FixedLenFeature([], tf.string) for name in (*config.backbones, config.label)
    }

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        return extractor.preprocess(tf.io.parse_example(serialized, columns))

    # Everything called here is traced already; there is no Python left to convert.
    embed = tf.function(extractor.embed, reduce_retracing=True, autograph=False)

    def embed_fn(serialized: tf.data.Dataset) -> Iterator[dict[str, np.ndarray]]:
        batches = (
            serialized.batch(BATCH_EXAMPLES)
            .map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .prefetch(2)
        )
        for batch in batches:
            vectors = {name: vector.numpy() for name, vector in embed(batch).items()}
            yield {**vectors, config.label: batch[config.label].numpy()}

    return embed_fn
