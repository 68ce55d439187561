"""What the Embedder runs inside a shard: serialized examples to vectors.

Decoding runs in parallel in `tf.data`, ahead of the backbone, and two batches
are in the backbone at a time: one alone leaves a third of two cores idle between
its layers (2,370 photos through a MobileNetV2: 24 to 41 s one by one, 20 to 23 s
in twos).
Batches are bounded, so memory does not depend on how many examples a shard holds.
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from preprocessing.ahead import map_ahead
from preprocessing.kinds import raw_columns
from trainer.augmentation import augment_pictures, content_seeds
from trainer.features import load_extractor
from trainer.model_config import EmbedConfig

BATCH_EXAMPLES = 32
BATCHES_AT_A_TIME = 2


@functools.lru_cache(maxsize=1)
def make_embed_fn(
    transform_graph: str, config_json: str
) -> Callable[[tf.data.Dataset, int], Iterator[dict[str, np.ndarray]]]:
    """Builds the function that turns one shard into feature vectors.

    Loading and tracing take seconds, so one process keeps the last one built.

    Args:
        transform_graph: Folder of Transform's output artifact.
        config_json: An `EmbedConfig` as JSON.

    Returns:
        A function from a dataset of serialized tf.Examples, and a number of
        augmented views, to batches in the dataset's order: the head's inputs as
        they are stored (head_inputs.py), the label as Transform gives it, and
        `truncated/<feature>`, `[batch]` bool, of each text.
        The views of an example follow on it.
    """
    config = EmbedConfig.model_validate_json(config_json)
    extractor = load_extractor(transform_graph, config.model.model_dump_json())
    pictures = extractor.pictures
    label = config.label.name
    columns = {**raw_columns(config.features), label: tf.io.FixedLenFeature([], tf.string)}

    def parse(serialized: tf.Tensor, views: int) -> dict[str, tf.Tensor]:
        inputs = extractor.preprocess(tf.io.parse_example(serialized, columns))
        augmented = [
            augment_pictures(
                inputs, content_seeds(serialized, config.seed, view), config.augment, pictures
            )
            for view in range(1, views + 1)
        ]
        versions = [inputs, *(inputs | changed for changed in augmented)]
        return {name: tf.concat([one[name] for one in versions], axis=0) for name in inputs}

    texts = {
        name: backbone
        for name, backbone in extractor.backbones.items()
        if backbone.interface.modality == "text"
    }

    def embed_all(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        cut = {f"truncated/{name}": one.truncated(inputs[name]) for name, one in texts.items()}
        return extractor.embed(inputs) | cut

    # Everything called here is traced already; there is no Python left to convert.
    embed = tf.function(embed_all, reduce_retracing=True, autograph=False)

    def embed_one(batch: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
        vectors = {name: vector.numpy() for name, vector in embed(batch).items()}
        return {**vectors, label: batch[label].numpy()}

    def embed_fn(serialized: tf.data.Dataset, views: int = 0) -> Iterator[dict[str, np.ndarray]]:
        batches = (
            # Pictures are decoded one by one, for the threads to share even a short shard.
            serialized.batch(1 if pictures else BATCH_EXAMPLES)
            .map(
                functools.partial(parse, views=views),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
            .rebatch(BATCH_EXAMPLES)
            .prefetch(BATCHES_AT_A_TIME)
        )
        return map_ahead(embed_one, batches, BATCHES_AT_A_TIME)

    return embed_fn
