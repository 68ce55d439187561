"""The least that must be done: read, decode, resize and embed every picture once.

    python -m benchmarks.speed.contenders.floor PICTURES BACKBONE

`tf.data` with its best settings found on two cores: pictures are decoded one by
one by a thread a core, and two batches of eight are in the backbone at a time, as
one alone leaves cores idle between its layers. (300 photos, MobileNetV2 1.0, on a
busy machine: 15.5 s of CPU; in batches of 32, 15.7 s.) Left to tune itself, the same
pass over 5,000 pictures took 58 s at some times and 95 s at others.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import tensorflow as tf
import tensorflow_hub as hub

from benchmarks.speed.contenders.backbone import SIGNATURES, picture_size


def main() -> None:
    """Prints what was done as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("backbone", help="folder or address of a SavedModel")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--at-a-time", type=int, default=2, help="batches in the backbone")
    arguments = parser.parse_args()
    started = time.monotonic()
    size = picture_size(arguments.backbone)
    backbone = hub.load(arguments.backbone)
    name = next(name for name in SIGNATURES if name in backbone.signatures)
    embed = backbone.signatures[name]

    def prepare(path: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        pixels.set_shape([None, None, 3])
        resized = tf.image.resize(pixels, size, antialias=True)
        return tf.clip_by_value(resized, 0.0, 255.0) / 255.0

    files = sorted(str(path) for path in arguments.pictures.glob("*/*"))
    batches = (
        tf.data.Dataset.from_tensor_slices(files)
        .map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(arguments.batch)
        .map(lambda batch: next(iter(embed(batch).values())), arguments.at_a_time)
        .prefetch(tf.data.AUTOTUNE)
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    batches = batches.with_options(options)
    count = sum(len(vectors) for vectors in batches.as_numpy_iterator())
    seconds = time.monotonic() - started
    sys.stdout.write(json.dumps({"examples": count, "inside_s": seconds}) + "\n")


if __name__ == "__main__":
    main()
