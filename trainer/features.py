"""From raw columns to the head's inputs: transform graph, then backbones.

The one way there is: the Embedder calls it to make the vectors that the head
is trained on, and the exported model calls it on every request.
"""

import functools
from collections.abc import Mapping

import tensorflow as tf
import tensorflow_text  # noqa: F401  (transform graphs with texts need its ops)
import tensorflow_transform as tft
from tensorflow_transform.saved.saved_transform_io_v2 import SavedModelLoader

from preprocessing.config import missing_name
from preprocessing.inputs import ImageInput
from trainer.backbones.load import load
from trainer.backbones.module import BackboneModule
from trainer.head_inputs import HeadInput, as_float16, head_inputs, to_head
from trainer.model_config import ModelConfig


class FeatureExtractor(tf.Module):
    """Transform graph and backbones as one trackable object."""

    def __init__(self, transform_graph: str, config: ModelConfig, dtype: str = "float32") -> None:
        """Loads both; features with the same backbone share it.

        Args:
            transform_graph: Folder of Transform's output artifact.
            config: Features and their vendored backbones.
            dtype: Of the backbones' arithmetic.
        """
        super().__init__(name="feature_extractor")
        self.config = config
        self.transform_output, self._transform = load_transform(transform_graph)
        self._tracked = vars(self._transform)
        distinct = {one.model_dump_json(): one for one in config.backbones.values()}
        loaded = {key: load(one, dtype) for key, one in distinct.items()}
        self.backbones: dict[str, BackboneModule] = {
            name: loaded[one.model_dump_json()] for name, one in config.backbones.items()
        }

    @property
    def head_inputs(self) -> dict[str, HeadInput]:
        """What the head gets, by name."""
        config = self.config
        return head_inputs(config.features, config.backbones, self.transform_output)

    @property
    def pictures(self) -> dict[str, ImageInput]:
        """Size and range of each feature that is a picture."""
        inputs = {name: one.interface.input for name, one in self.backbones.items()}
        return {name: one for name, one in inputs.items() if isinstance(one, ImageInput)}

    def preprocess(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Applies the transform graph to the columns given.

        Args:
            raw: `[batch]` tensors; a column that is left out (the label, when
                serving) leaves out what is made of it.

        Returns:
            Transform's outputs by name.
        """
        return dict(self._transform.apply_transform_model(dict(raw)))

    def prepare(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Makes tokens of texts; leaves everything else as it is.

        Args:
            inputs: Outputs of `preprocess`.

        Returns:
            The same by name, for a text with a tokenizer a dict of tokens.
        """
        prepared = dict(inputs)
        for name, backbone in self.backbones.items():
            prepared[name] = backbone.prepare(inputs[name])
        return prepared

    def encode(self, prepared: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Runs each feature through its backbone.

        Args:
            prepared: Outputs of `prepare`; others than features are ignored.

        Returns:
            `[batch, width]` float32, or `[batch]` int64 for a category. The
            vector of a missing picture or text is zero.
        """
        return {
            name: self.vector(name, prepared) if name in self.backbones else prepared[name]
            for name in self.head_inputs
        }

    def vector(self, name: str, prepared: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Runs one feature through its backbone.

        Args:
            name: The feature.
            prepared: It and, where it may be missing, its indicator, as
                `prepare` gives them.

        Returns:
            `[batch, width]` float32, zero where it is missing.
        """
        vector = tf.cast(self.backbones[name].encode(prepared[name]), tf.float32)
        if self.head_inputs[name].stored == "float16":
            vector = as_float16(vector)
        indicator = prepared.get(missing_name(name))
        return vector if indicator is None else vector * (1 - indicator)

    def embed(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """`encode` of `prepare`; see both."""
        return self.encode(self.prepare(inputs))

    def to_head(self, prepared: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """From outputs of `prepare` to the head's inputs, `[batch, width]` float32."""
        return to_head(self.encode(prepared), self.head_inputs)


def load_transform(transform_graph: str) -> tuple[tft.TFTransformOutput, SavedModelLoader]:
    """Loads Transform's graph alone, a fraction of a second's work.

    Args:
        transform_graph: Folder of Transform's output artifact.

    Returns:
        What it says of itself, and what `transform_features_layer()` wraps. The
        layer is a Keras model, which every save traces anew; the loader's own
        parts are what has to be saved.
    """
    output = tft.TFTransformOutput(transform_graph)
    return output, SavedModelLoader(output.transform_savedmodel_dir)


@functools.lru_cache(maxsize=1)
def load_extractor(transform_graph: str, config_json: str) -> FeatureExtractor:
    """Loads an extractor, once for all components that run in this process.

    Loading a MobileNetV2 takes seven seconds, and the Trainer comes after the
    Embedder. Nothing may change its backbones: fine-tuning loads its own.

    Args:
        transform_graph: Folder of Transform's output artifact.
        config_json: A `ModelConfig` as JSON.

    Returns:
        The extractor.
    """
    return FeatureExtractor(transform_graph, ModelConfig.model_validate_json(config_json))
