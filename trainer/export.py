"""The exported model is whole: raw columns in, labels and probabilities out.

Transform graph, backbones and head in one SavedModel, built from the very
objects that made the features that the head was trained on.
"""

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from trainer.features import FeatureExtractor

# Read by the Evaluator, which looks for a signature of this name by itself.
LABEL_SIGNATURE = "transformed_labels"
EXAMPLES_SIGNATURE = "serving_examples"
LABEL_ID = "label_id"


class ServedModel(tf.Module):
    """What TF Serving loads.

    Its signatures, each for any batch size:
        serving_default: for each feature `[batch]` string of encoded bytes;
            over REST each one is written `{"b64": …}`.
        serving_examples: `examples`, `[batch]` serialized tf.Examples.
        transformed_labels: `examples` as above with the label; gives
            `label_id`, `[batch]` int64, -1 for an unknown label.

    The first two give
        label: `[batch]` string, the most probable class.
        score: `[batch]` float32, its probability.
        classes: `[batch, classes]` string, the same in every row.
        probabilities: `[batch, classes]` float32, in the order of `classes`.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        head: tf_keras.Model,
        features: Sequence[str],
        label: str,
        classes: Sequence[str],
    ) -> None:
        """Puts the parts together.

        Args:
            extractor: From raw columns to feature vectors.
            head: From feature vectors to logits `[batch, classes]`.
            features: Names of the features, which are the inputs' names.
            label: Name of the label's column.
            classes: Class names in the order of the logits.
        """
        super().__init__(name="served_model")
        self._extractor = extractor
        # Only the head's variables are tracked: a tracked Keras model is traced
        # anew, layer by layer, by every save, which took 8 of its 10 seconds.
        self._head_variables = head.variables
        self._head = lambda vectors: head(vectors, training=False)
        self._features = tuple(features)
        self._label = label
        self._classes = tf.constant(list(classes), tf.string)

    def predict(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Runs the whole model on raw columns; see the class for the outputs."""
        vectors = self._extractor.embed(self._extractor.preprocess(raw))
        probabilities = tf.nn.softmax(self._head(vectors))
        best = tf.argmax(probabilities, axis=-1)
        return {
            "label": tf.gather(self._classes, best),
            "score": tf.reduce_max(probabilities, axis=-1),
            "classes": tf.tile(self._classes[tf.newaxis], [tf.shape(probabilities)[0], 1]),
            "probabilities": probabilities,
        }

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """Builds the signatures by name, ready for `tf.saved_model.save`."""
        columns = {name: tf.io.FixedLenFeature([], tf.string) for name in self._features}
        label_column = {self._label: tf.io.FixedLenFeature([], tf.string, default_value="")}
        serialized = tf.TensorSpec([None], tf.string, name="examples")

        @tf.function(
            input_signature=[
                {name: tf.TensorSpec([None], tf.string, name=name) for name in self._features}
            ],
            autograph=False,
        )
        def serve_raw(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return self.predict(raw)

        @tf.function(input_signature=[serialized], autograph=False)
        def serve_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.predict(tf.io.parse_example(examples, columns))

        @tf.function(input_signature=[serialized], autograph=False)
        def transform_labels(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            raw = tf.io.parse_example(examples, label_column)
            return {LABEL_ID: self._extractor.preprocess(raw)[self._label]}

        return {
            tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: serve_raw.get_concrete_function(),
            EXAMPLES_SIGNATURE: serve_examples.get_concrete_function(),
            LABEL_SIGNATURE: transform_labels.get_concrete_function(),
        }


def export(model: ServedModel, folder: str) -> None:
    """Writes the model as a SavedModel that TF Serving loads.

    Args:
        model: The model.
        folder: Folder to write; `assets/` in it holds the label vocabulary.
    """
    tf.saved_model.save(model, folder, signatures=model.signatures())
