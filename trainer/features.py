"""From raw columns to feature vectors: transform graph, then backbones.

The one way there is: the Embedder calls it to make the vectors that the head
is trained on, and the exported model calls it on every request.
"""

import functools
from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft
from pydantic import RootModel
from tensorflow_transform.saved.saved_transform_io_v2 import SavedModelLoader

from trainer.backbones.load import load
from trainer.backbones.record import Backbone


class Backbones(RootModel[dict[str, Backbone]]):
    """The vendored backbone of each feature, as it crosses TFX."""


class FeatureExtractor(tf.Module):
    """Transform graph and backbones as one trackable object."""

    def __init__(self, transform_graph: str, backbones: Mapping[str, Backbone]) -> None:
        """Loads both.

        Args:
            transform_graph: Folder of Transform's output artifact.
            backbones: The vendored backbone of each feature.
        """
        super().__init__(name="feature_extractor")
        self.transform_output = tft.TFTransformOutput(transform_graph)
        # What `transform_features_layer()` wraps. The layer is a Keras model, which
        # every save traces anew; the loader's own parts are what has to be saved.
        self._transform = SavedModelLoader(self.transform_output.transform_savedmodel_dir)
        self._tracked = vars(self._transform)
        self._backbones = {name: load(backbone) for name, backbone in backbones.items()}

    def preprocess(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Applies the transform graph to the columns given.

        Args:
            raw: `[batch]` tensors; a column that is left out (the label, when
                serving) leaves out what is made of it.

        Returns:
            Transform's outputs by name.
        """
        return dict(self._transform.apply_transform_model(dict(raw)))

    def embed(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Runs each feature through its frozen backbone.

        Args:
            inputs: Outputs of `preprocess`; others than features are ignored.

        Returns:
            `[batch, feature_width]` float32 for each feature.
        """
        return {
            name: tf.cast(backbone(inputs[name]), tf.float32)
            for name, backbone in self._backbones.items()
        }


@functools.lru_cache(maxsize=1)
def load_extractor(transform_graph: str, backbones_json: str) -> FeatureExtractor:
    """Loads an extractor, once for all components that run in this process.

    Loading a MobileNetV2 takes seven seconds, and the Trainer comes after the
    Embedder. Nothing changes a frozen backbone, so it can be shared.

    Args:
        transform_graph: Folder of Transform's output artifact.
        backbones_json: `Backbones` as JSON.

    Returns:
        The extractor.
    """
    return FeatureExtractor(transform_graph, Backbones.model_validate_json(backbones_json).root)
