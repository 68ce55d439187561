"""The transfer-learning script that one would write instead, at its best.

    python -m benchmarks.speed.contenders.keras_script PICTURES BACKBONE OUTPUT --epochs 5

A frozen hub layer in a tf_keras model, `fit` for the epochs asked for, eight
tenths of the pictures to learn from, one to validate each epoch and one to be
judged in the end, as in Graft's defaults. What a good engineer would do is done:
decoding in parallel and ahead, and pixels decoded once and kept in memory, as
bytes, where they fit into half of what is free. It ends with a SavedModel that
takes encoded pictures.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

from benchmarks.speed.contenders.backbone import picture_size

TRAIN, EVAL = 0.8, 0.9  # ends of the splits' shares
FREE_SHARE = 0.5


def main() -> None:
    """Prints what was done as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("backbone", help="folder or address of a SavedModel")
    parser.add_argument("output", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    started = time.monotonic()

    layer = hub.KerasLayer(arguments.backbone, trainable=False)
    size = picture_size(arguments.backbone)
    files = sorted(arguments.pictures.glob("*/*"))
    random.Random(0).shuffle(files)
    classes = sorted({path.parent.name for path in files})
    fits = len(files) * size[0] * size[1] * 3 < FREE_SHARE * free_bytes()
    ends = [0, int(TRAIN * len(files)), int(EVAL * len(files)), len(files)]
    train, evaluation, test = (
        make_dataset(files[low:high], classes, size, fits and high < len(files))
        for low, high in zip(ends, ends[1:], strict=False)
    )
    train = train.shuffle(max(1, min(ends[1], 2000)), reshuffle_each_iteration=True)

    model = tf_keras.Sequential(
        [
            tf_keras.layers.InputLayer([*size, 3], dtype=tf.uint8),
            tf_keras.layers.Rescaling(1 / 255),
            layer,
            tf_keras.layers.Dense(len(classes), activation="softmax"),
        ]
    )
    loss = tf_keras.losses.SparseCategoricalCrossentropy()
    model.compile(tf_keras.optimizers.Adam(1e-3), loss, ["accuracy"])
    model.fit(
        ready(train, arguments.batch),
        validation_data=ready(evaluation, arguments.batch),
        epochs=arguments.epochs,
        verbose=2,
    )
    _, accuracy = model.evaluate(ready(test, arguments.batch), verbose=0)
    save(model, classes, size, arguments.output)
    done = {
        "examples": len(files),
        "cached": fits,
        "accuracy": accuracy,
        "inside_s": time.monotonic() - started,
    }
    sys.stdout.write("\n" + json.dumps(done) + "\n")


def free_bytes() -> int:
    """Returns the memory that a process can take now."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("MemAvailable"))
    return int(line.split()[1]) * 1024


def decode(encoded: tf.Tensor, size: list[int]) -> tf.Tensor:
    """From a picture's bytes to `[height, width, 3]` uint8."""
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    pixels.set_shape([None, None, 3])
    resized = tf.image.resize(pixels, size, antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), tf.uint8)


def make_dataset(
    files: list[Path], classes: list[str], size: list[int], cache: bool
) -> tf.data.Dataset:
    """Makes a dataset of pixels and labels, decoded once where it is cached."""
    labels = [classes.index(path.parent.name) for path in files]
    rows = tf.data.Dataset.from_tensor_slices(([str(path) for path in files], labels))
    decoded = rows.map(
        lambda path, label: (decode(tf.io.read_file(path), size), label),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return decoded.cache() if cache else decoded


def ready(rows: tf.data.Dataset, batch: int) -> tf.data.Dataset:
    """Batches, ahead of whoever takes them."""
    return rows.batch(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def save(model: tf_keras.Model, classes: list[str], size: list[int], output: Path) -> None:
    """Saves a model that takes encoded pictures and gives labels."""
    names = tf.constant(classes)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image")])
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = tf.map_fn(
            lambda one: decode(one, size),
            image,
            fn_output_signature=tf.TensorSpec([*size, 3], tf.uint8),
        )
        probabilities = model(pixels, training=False)
        label = tf.gather(names, tf.argmax(probabilities, axis=-1))
        return {"label": label, "probabilities": probabilities}

    tf.saved_model.save(model, str(output), signatures={"serving_default": serve})


if __name__ == "__main__":
    main()
