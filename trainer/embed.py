"""What the Embedder runs on examples: what is cheap at once, backbones where they are needed.

Decoding and tokenising run in parallel in `tf.data`, ahead of the backbone, and
two batches are in the backbone at a time: one alone leaves a third of two cores
idle between its layers (2,370 photos through a MobileNetV2: 24 to 41 s one by
one, 20 to 23 s in twos).

The vector of a picture or text is the same to the last bit whatever it is
computed with: matrices are multiplied in another order when a batch has fewer
rows (a MiniLM differs by 1e-7), so every batch is filled up to its full size;
and texts are padded to a length that depends on them alone, not on the longest
of their batch, which also saves the padding.

TensorFlow keeps what a backbone needs between its layers for the next batch and
gives none of it back. A MobileNetV2 needs 15 MB for a picture, so pictures go in
eights where there is no GPU: 384 of them through two at a time take 6.7 s of CPU
and 0.25 GB, in batches of 32 7.4 s and 0.93 GB.
"""

import functools
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from preprocessing.ahead import map_ahead
from preprocessing.config import EmbeddedFeature, missing_name
from preprocessing.kinds import KINDS, raw_columns
from preprocessing.streams import plain, untuned
from trainer.augmentation import augment_pictures, content_seeds
from trainer.backbones.record import Backbone
from trainer.features import FeatureExtractor, load_extractor, load_transform
from trainer.head_inputs import head_inputs
from trainer.model_config import EmbedConfig

BATCH_EXAMPLES = 32
# Pictures on a CPU; see above.
BATCH_PICTURES = 8
BATCHES_AT_A_TIME = 2
# Texts are padded to the next of these, in tokens, or to the longest there is.
LENGTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
# Says how many tokens are a text's own.
_MASK = "attention_mask"
_SLOT, _CUT = "slot", "cut"
# Whose code makes vectors, beside TensorFlow's and ours.
_LIBRARIES = ("tensorflow-hub", "tensorflow-text", "tf-keras", "transformers")


class VectorColumn(NamedTuple):
    """A feature whose vectors a backbone makes.

    Attributes:
        width: Length of a vector.
        dtype: How its numbers are kept.
        seeded: Whether augmented views of it differ from it.
        marked: Whether there is something to count of it: texts cut short.
        identity: What a vector depends on beside the content of the column.
        views: What an augmented view's vector depends on further, beside its seeds.
        about: What people want to know of it.
    """

    width: int
    dtype: str
    seeded: bool
    marked: bool
    identity: dict[str, Any]
    views: dict[str, Any]
    about: dict[str, Any]


class Scanned(NamedTuple):
    """Some examples without what only a backbone can say.

    Attributes:
        stored: What the head gets beside vectors, as it is stored, and the label.
        raw: The content of each column that a backbone takes, `[examples]` bytes.
    """

    stored: dict[str, np.ndarray]
    raw: dict[str, np.ndarray]


class Vectors(NamedTuple):
    """A batch of vectors, of the examples in any order.

    Attributes:
        slots: `[batch]` int64, as they were asked for.
        vectors: `[batch, width]` float32.
        cut: `[batch]` bool, which texts have more tokens than are looked at.
    """

    slots: np.ndarray
    vectors: np.ndarray
    cut: np.ndarray


@functools.lru_cache(maxsize=1)
def make_embed_fn(transform_graph: str, config_json: str) -> "Embedding":
    """Prepares to embed; one process keeps the last one, for tracing takes time.

    Args:
        transform_graph: Folder of Transform's output artifact.
        config_json: An `EmbedConfig` as JSON.

    Returns:
        What embeds.
    """
    return Embedding(transform_graph, EmbedConfig.model_validate_json(config_json))


class Embedding:
    """Makes what is stored of examples. The backbones are loaded when first needed.

    Attributes:
        columns: The features whose vectors a backbone makes, by name.
    """

    def __init__(self, transform_graph: str, config: EmbedConfig) -> None:
        """Loads the transform graph.

        Args:
            transform_graph: Folder of Transform's output artifact.
            config: What is embedded, and how.
        """
        self._graph = transform_graph
        self._config = config
        self._output, self._transform = load_transform(transform_graph)
        self.columns = {
            name: self._column(name, backbone) for name, backbone in config.backbones.items()
        }
        self._scan = tf.function(
            self._scan_batch, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )
        self._vectors = functools.cache(self._trace)

    def scan(self, serialized: tf.Tensor) -> Scanned:
        """Reads examples, without decoding or loading anything for a backbone.

        Args:
            serialized: `[examples]` serialized tf.Examples.

        Returns:
            Their parts.
        """
        stored, raw = self._scan(serialized)
        return Scanned(
            {name: one.numpy() for name, one in stored.items()},
            {name: one.numpy() for name, one in raw.items()},
        )

    def seeds(self, serialized: tf.Tensor, view: int) -> np.ndarray:
        """Gives the seeds of an augmented view, `[examples, 2]` int64."""
        return content_seeds(serialized, self._config.seed, view).numpy()

    def embed(self, name: str, wanted: tf.data.Dataset) -> Iterator[Vectors]:
        """Runs a feature of some examples through its backbone.

        Args:
            name: A key of `columns`.
            wanted: `([] string, [views] int64)`: serialized examples, and for
                each a slot for every version, at first its own, then its augmented
                views: a number that comes back with the vector, or -1 where it
                is not wanted.

        Yields:
            Batches, of `batch_size` at most.
        """
        extractor = self._extractor
        make = self._pictures if name in extractor.pictures else self._texts
        encode = self._vectors(name)
        full = batch_size(self._config.backbones[name])

        def run(batch: dict[str, Any]) -> Vectors:
            slots, cut = batch.pop(_SLOT).numpy(), batch.pop(_CUT).numpy()
            rows = np.minimum(np.arange(full), len(slots) - 1)
            if len(slots) < full:
                batch = tf.nest.map_structure(lambda one: tf.gather(one, rows), batch)
            return Vectors(slots, encode(batch).numpy()[: len(slots)], cut)

        batches = untuned(make(name, wanted).prefetch(BATCHES_AT_A_TIME))
        return map_ahead(run, batches, BATCHES_AT_A_TIME)

    @property
    def _extractor(self) -> FeatureExtractor:
        return load_extractor(self._graph, self._config.model.model_dump_json())

    def _trace(self, name: str) -> Any:
        extractor = self._extractor
        # Everything called here is traced already; there is no Python left to convert.
        return tf.function(
            functools.partial(extractor.vector, name), reduce_retracing=True, autograph=False
        )

    def _column(self, name: str, backbone: Backbone) -> VectorColumn:
        feature = self._config.features[name]
        assert isinstance(feature, EmbeddedFeature)  # It has a backbone.
        is_picture = backbone.modality == "image"
        return VectorColumn(
            width=backbone.feature_width,
            dtype=feature.vectors,
            seeded=is_picture,
            marked=not is_picture,
            # Nothing of what Transform analyses: preprocessing/image.py and text.py
            # use the raw column and the feature's own record alone.
            identity={
                "feature": feature.model_dump(mode="json", exclude={"column", "backbone"}),
                "backbone": backbone.model_dump(mode="json", exclude={"handle", "path"}),
                "tensorflow": tf.__version__,
                "libraries": {one: metadata.version(one) for one in _LIBRARIES},
                "device": _device(),
                "batch": batch_size(backbone),
            },
            views={"augment": self._config.augment.model_dump(mode="json")},
            about={"handle": backbone.handle, "kind": backbone.modality},
        )

    def _scan_batch(self, serialized: tf.Tensor) -> tuple[dict, dict]:
        config = self._config
        label = config.label.name
        columns = {**raw_columns(config.features), label: tf.io.FixedLenFeature([], tf.string)}
        parsed = tf.io.parse_example(serialized, columns)
        raw = {name: parsed.pop(name) for name in self.columns}
        outputs = dict(self._transform.apply_transform_model(parsed))
        for name, column in raw.items():
            if config.features[name].missing == "default":
                outputs[missing_name(name)] = self._indicator(name, column)
        names = {*head_inputs(config.features, config.backbones, self._output), label}
        return {name: outputs[name] for name in sorted(names - raw.keys())}, raw

    def _indicator(self, name: str, raw: tf.Tensor) -> tf.Tensor:
        """As preprocessing.kinds.add_feature; the graph would decode for it."""
        is_missing = KINDS[self._config.features[name].kind].is_missing(raw)
        return tf.cast(is_missing, tf.float32)[:, tf.newaxis]

    def _preprocess(self, name: str, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = raw_columns({name: self._config.features[name]})
        outputs = self._extractor.preprocess(tf.io.parse_example(serialized, columns))
        return {key: outputs[key] for key in (name, missing_name(name)) if key in outputs}

    def _pictures(self, name: str, wanted: tf.data.Dataset) -> tf.data.Dataset:
        """Decodes one by one, for the threads to share even a few."""
        config, pictures = self._config, {name: self._extractor.pictures[name]}
        views = int(wanted.element_spec[1].shape[0]) - 1

        @plain
        def prepare(serialized: tf.Tensor, slots: tf.Tensor) -> dict[str, tf.Tensor]:
            inputs = self._preprocess(name, serialized)
            versions = [inputs]
            for view in range(1, views + 1):
                seeds = content_seeds(serialized, config.seed, view)
                versions.append(inputs | augment_pictures(inputs, seeds, config.augment, pictures))
            joined = {key: tf.concat([one[key] for one in versions], axis=0) for key in inputs}
            joined |= {_SLOT: slots[0], _CUT: tf.zeros_like(slots[0], tf.bool)}
            chosen = slots[0] >= 0
            return {key: tf.boolean_mask(one, chosen) for key, one in joined.items()}

        prepared = wanted.batch(1).map(prepare, tf.data.AUTOTUNE, deterministic=True)
        return prepared.rebatch(batch_size(config.backbones[name]))

    def _texts(self, name: str, wanted: tf.data.Dataset) -> tf.data.Dataset:
        """Tokenises batches, and brings together what has about the same length."""
        backbone = self._extractor.backbones[name]
        longest = self._config.backbones[name].input.sequence_length or 0  # type: ignore[union-attr]
        by_length = _MASK in backbone.tokens and backbone.tokens[_MASK].shape[1] is None

        @plain
        def prepare(serialized: tf.Tensor, slots: tf.Tensor) -> dict[str, Any]:
            inputs = self._preprocess(name, serialized)
            texts = inputs[name]
            if by_length:
                # With a text of the greatest length in the batch, all are as long as can be.
                longest_text = tf.constant(["a " * longest])
                tokens = backbone.prepare(tf.concat([texts, longest_text], axis=0))
                inputs[name] = {key: one[:-1] for key, one in tokens.items()}
            else:
                inputs[name] = backbone.prepare(texts)
            return inputs | {_SLOT: slots[:, 0], _CUT: backbone.truncated(texts)}

        prepared = wanted.batch(BATCH_EXAMPLES).map(prepare, tf.data.AUTOTUNE, deterministic=True)
        if not by_length:
            return prepared
        lengths = [one for one in LENGTHS if one < longest] + [longest]
        edges = tf.constant(lengths, tf.int64)

        @plain
        def place(one: Mapping[str, Any]) -> tf.Tensor:
            own = tf.reduce_sum(tf.cast(one[name][_MASK], tf.int64))
            return tf.cast(tf.searchsorted(edges, own[tf.newaxis])[0], tf.int64)

        @plain
        def trim(one: Mapping[str, Any]) -> dict[str, Any]:
            tokens = {key: value[: edges[place(one)]] for key, value in one[name].items()}
            return {**one, name: tokens}

        @plain
        def batch(_: tf.Tensor, window: tf.data.Dataset) -> tf.data.Dataset:
            return window.batch(BATCH_EXAMPLES)

        # What is trimmed has one shape in a window.
        return (
            prepared.unbatch()
            .map(trim, tf.data.AUTOTUNE, deterministic=True)
            .group_by_window(place, batch, BATCH_EXAMPLES)
        )


def batch_size(backbone: Backbone) -> int:
    """Says how many examples go through a backbone at once."""
    on_cpu = not tf.config.list_physical_devices("GPU")
    return BATCH_PICTURES if on_cpu and backbone.modality == "image" else BATCH_EXAMPLES


def _device() -> str:
    """What multiplies: GPUs from Ampere on round what they multiply to ten bits."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    return f"GPU {tf.config.experimental.get_device_details(gpus[0]).get('compute_capability')}"
