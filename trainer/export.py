"""The exported model is whole: raw columns in, labels and probabilities out.

Transform graph, backbones and head in one SavedModel, built from the very
objects that made the features that the head was trained on.
"""

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tf_keras

from preprocessing.kinds import raw_columns
from preprocessing.model_info import ModelInfo, write_model_info
from trainer.features import FeatureExtractor
from trainer.tasks.registry import TASKS
from trainer.tensor_signatures import (
    PREPARE_SIGNATURE,
    TENSORS_SIGNATURE,
    from_tensors,
    tensor_specs,
    to_tensors,
)

# Read by the Evaluator, which looks for a signature of this name by itself.
LABEL_SIGNATURE = "transformed_labels"
EXAMPLES_SIGNATURE = "serving_examples"
BULK_SIGNATURE = "bulk_examples"
LABEL_ID = "label_id"
# What a task gives that is no text (trainer/tasks).
FIGURES = ("probabilities", "value")

Signatures = dict[str, tf.types.experimental.ConcreteFunction]


class ServedModel(tf.Module):
    """What TF Serving loads.

    Its signatures, each for any batch size:
        serving_default: for each feature `[batch]`: a picture's encoded bytes
            (over REST `{"b64": …}`), a text, a number or a word.
        serving_examples: `examples`, `[batch]` serialized tf.Examples.
        transformed_labels: `examples` as above with the label; gives
            `label_id`, the label as the loss takes it (preprocessing/label.py).
        serving_tensors, prepared_examples: where exports are asked for, see
            tensor_signatures.py.

    What the first two give is said by the task (trainer/tasks).
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        head: tf_keras.Model,
        classes: Sequence[str],
        temperature: float = 1.0,
    ) -> None:
        """Puts the parts together.

        Args:
            extractor: From raw columns to the head's inputs.
            head: From its inputs to logits `[batch, units]`.
            classes: Class names in the order of the logits.
            temperature: What they are divided by, see calibrate.py.
        """
        super().__init__(name="served_model")
        self._extractor = extractor
        # Only the head's variables are tracked: a tracked Keras model is traced
        # anew, layer by layer, by every save, which took 8 of its 10 seconds.
        self._head_variables = head.variables
        self._head = lambda vectors: head(vectors, training=False)
        self._classes = tuple(classes)
        self._temperature = temperature

    def predict(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Runs the whole model on raw columns; the task says what it gives."""
        inputs = self._extractor.preprocess(raw)
        # oneDNN's convolutions fail on a batch of none (TensorFlow 2.16), so it gets one row.
        size = tf.shape(next(iter(raw.values())))[0]
        filled = {name: _pad_empty(one, size) for name, one in inputs.items()}
        outputs = self._predict_prepared(self._extractor.prepare(filled))
        return {name: one[:size] for name, one in outputs.items()}

    def _predict_prepared(self, prepared: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The part of `predict` behind `FeatureExtractor.prepare`."""
        return self.answer(self._extractor.to_head(prepared))

    def answer(self, vectors: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The part of `predict` behind the backbones: from the head's inputs on."""
        label = self._extractor.config.label
        logits = tf.cast(self._head(vectors), tf.float32) / self._temperature
        return TASKS[label.task].predict(logits, self._classes, label)

    @property
    def info(self) -> ModelInfo:
        """What it takes and gives."""
        config = self._extractor.config
        return ModelInfo(
            features=config.features,
            images=self._extractor.pictures,
            label=config.label,
            classes=self._classes,
            temperature=self._temperature,
        )

    def signatures(self, tensors: bool = False, bulk: bool = False) -> Signatures:
        """Builds the signatures by name, ready for `tf.saved_model.save`.

        Args:
            tensors: Whether those of tensor_signatures.py are among them; they
                are left out all the same where a backbone takes strings.
            bulk: Whether `bulk_examples` is among them, for TFX's BulkInferrer.
        """
        config = self._extractor.config
        columns = raw_columns(config.features)
        label_column = {config.label.name: tf.io.FixedLenFeature([], tf.string, default_value="")}
        serialized = tf.TensorSpec([None], tf.string, name="examples")

        @tf.function(
            input_signature=[
                {name: tf.TensorSpec([None], one.dtype, name=name) for name, one in columns.items()}
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
            return {LABEL_ID: self._extractor.preprocess(raw)[config.label.name]}

        @tf.function(input_signature=[serialized], autograph=False)
        def serve_bulk(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            # BulkInferrer fails on a string a row; as a column of its own it will do.
            outputs = serve_examples(examples)
            return {
                **{name: one for name, one in outputs.items() if one.shape.rank > 1},
                **{
                    bulk_output(name): one[:, tf.newaxis]
                    for name, one in outputs.items()
                    if one.shape.rank == 1
                },
            }

        return {
            **({BULK_SIGNATURE: serve_bulk.get_concrete_function()} if bulk else {}),
            tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: serve_raw.get_concrete_function(),
            EXAMPLES_SIGNATURE: serve_examples.get_concrete_function(),
            LABEL_SIGNATURE: transform_labels.get_concrete_function(),
            **(self._tensor_signatures() if tensors else {}),
        }

    def _tensor_signatures(self) -> Signatures:
        extractor = self._extractor
        columns = raw_columns(extractor.config.features)
        specs = tensor_specs(extractor)
        if specs is None:
            return {}

        @tf.function(input_signature=[specs], autograph=False)
        def serve_tensors(tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            outputs = self._predict_prepared(from_tensors(extractor, tensors))
            return {name: outputs[name] for name in FIGURES if name in outputs}

        serialized = tf.TensorSpec([None], tf.string, name="examples")

        @tf.function(input_signature=[serialized], autograph=False)
        def prepare_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            raw = tf.io.parse_example(examples, columns)
            return to_tensors(extractor, extractor.prepare(extractor.preprocess(raw)))

        return {
            TENSORS_SIGNATURE: serve_tensors.get_concrete_function(),
            PREPARE_SIGNATURE: prepare_examples.get_concrete_function(),
        }


def _pad_empty(rows: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Adds a row of zeros, or an empty text, where there is none; copies nothing otherwise."""
    missing = tf.cast(tf.equal(size, 0), tf.int32)
    return tf.pad(rows, [[0, missing], *[[0, 0]] * (rows.shape.rank - 1)])


def bulk_output(name: str) -> str:
    """What `bulk_examples` calls an output that has one value a row."""
    return f"{name}_column"


def export(model: ServedModel, folder: str, tensors: bool = False, bulk: bool = False) -> None:
    """Writes the model as a SavedModel that TF Serving loads.

    Args:
        model: The model.
        folder: Folder to write; `assets/` in it holds the label vocabulary,
            `assets.extra/model.json` the model's `info`.
        tensors: Whether exports are to be made from it.
        bulk: Whether TFX's BulkInferrer is to predict with it.
    """
    tf.saved_model.save(model, folder, signatures=model.signatures(tensors, bulk))
    write_model_info(model.info, folder)
