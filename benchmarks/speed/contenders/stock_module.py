"""What a stock TFX image pipeline runs inside Transform and Trainer.

Pictures are decoded and resized by Transform, which writes them out; the frozen
hub layer is part of the model, so that every epoch runs it again.
"""

from typing import Any

import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_transform as tft
import tf_keras
from tensorflow_transform import TFTransformOutput
from tfx_bsl.public import tfxio

IMAGE, LABEL = "image", "label"
IMAGE_XF, LABEL_XF = "image_xf", "label_xf"


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Decodes and resizes pictures, and numbers labels."""
    size = custom_config["size"]

    def decode(encoded: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_image(encoded[0], channels=3, expand_animations=False)
        pixels.set_shape([None, None, 3])
        resized = tf.image.resize(pixels, size, antialias=True)
        return tf.clip_by_value(resized, 0.0, 255.0) / 255.0

    shape = tf.TensorSpec([*size, 3], tf.float32)
    return {
        IMAGE_XF: tf.map_fn(decode, inputs[IMAGE], fn_output_signature=shape),
        LABEL_XF: tft.compute_and_apply_vocabulary(
            inputs[LABEL], num_oov_buckets=1, vocab_filename="labels"
        ),
    }


def run_fn(fn_args: Any) -> None:
    """Trains a head behind the frozen hub layer, and saves the whole."""
    graph = TFTransformOutput(fn_args.transform_output)
    config = fn_args.custom_config
    batch = config["batch"]

    def make_dataset(pattern: list[str]) -> tf.data.Dataset:
        options = tfxio.TensorFlowDatasetOptions(batch_size=batch, label_key=LABEL_XF)
        schema = graph.transformed_metadata.schema
        return fn_args.data_accessor.tf_dataset_factory(pattern, options, schema).repeat()

    classes = graph.vocabulary_size_by_name("labels") + 1  # and those not learned from
    model = tf_keras.Sequential(
        [
            tf_keras.layers.InputLayer([*config["size"], 3], name=IMAGE_XF),
            hub.KerasLayer(config["backbone"], trainable=False),
            tf_keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile(
        tf_keras.optimizers.Adam(1e-3),
        tf_keras.losses.SparseCategoricalCrossentropy(),
        ["sparse_categorical_accuracy"],
    )
    steps = -(-config["train_examples"] // batch)
    model.fit(
        make_dataset(fn_args.train_files),
        epochs=fn_args.train_steps // steps,
        steps_per_epoch=steps,
        validation_data=make_dataset(fn_args.eval_files),
        validation_steps=fn_args.eval_steps,
        verbose=2,
    )
    _save(model, graph, fn_args.serving_model_dir)


def _save(model: tf_keras.Model, graph: TFTransformOutput, folder: str) -> None:
    """Saves with the two signatures that Evaluator and a server call."""
    model.transform_layer = graph.transform_features_layer()
    raw = graph.raw_feature_spec()
    unlabelled = {name: one for name, one in raw.items() if name != LABEL}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        features = model.transform_layer(tf.io.parse_example(examples, unlabelled))
        return {"outputs": model(features[IMAGE_XF], training=False)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def transform(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.transform_layer(tf.io.parse_example(examples, raw))

    signatures = {"serving_default": serve, "transform_features": transform}
    tf.saved_model.save(model, folder, signatures=signatures)
