"""Pretrains the demo backbone on letters and writes it as a SavedModel.

Needs no network and no data set: the letters are drawn from the fonts that
matplotlib installs (letters.py, drawing.py); no digit is among them. From the
repository's root, about four minutes on two cores:

    TF_USE_LEGACY_KERAS=1 python examples/digits/pretrain.py

What it is worth on real digits: python benchmarks/few_labels.py.
"""

import argparse
import logging
from pathlib import Path

import tensorflow as tf
import tf_keras
from drawing import make_pictures
from letters import read_glyphs
from network import FeatureVector, build_network, write_backbone

PEAK_LEARNING_RATE = 3e-3
WEIGHT_DECAY = 5e-3
LABEL_SMOOTHING = 0.05
EPOCHS = 10  # of equal length; only so that progress is shown


def main() -> None:
    """Draws, trains, writes."""
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tf_keras.utils.set_random_seed(arguments.seed)
    network = train(arguments.steps, arguments.batch_size, arguments.seed)
    backbone = FeatureVector(network)
    write_backbone(backbone, arguments.output)
    parameters = sum(int(tf.size(variable)) for variable in backbone.variables)
    size = sum(path.stat().st_size for path in arguments.output.rglob("*") if path.is_file())
    logging.info("%s: %d parameters, %d bytes", arguments.output, parameters, size)


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "backbone", help="folder to write"
    )
    parser.add_argument("--steps", type=int, default=1500, help="batches to train on")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def train(steps: int, batch_size: int, seed: int) -> tf_keras.Sequential:
    """Trains the network to tell letters apart, each picture seen once.

    Args:
        steps: Batches to train on.
        batch_size: Pictures in a batch.
        seed: Of the pictures; the weights come from the global seed.

    Returns:
        The trained network.
    """
    glyphs = read_glyphs()
    network = build_network(glyphs.classes)
    pictures = make_pictures(glyphs, batch_size, seed).map(
        lambda images, labels: (images, tf.one_hot(labels, glyphs.classes))
    )
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=PEAK_LEARNING_RATE, warmup_steps=max(1, steps // 20)
    )
    network.compile(
        tf_keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY),
        tf_keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
        metrics=["accuracy"],
    )
    epochs = min(EPOCHS, steps)
    network.fit(pictures, steps_per_epoch=steps // epochs, epochs=epochs, verbose=2)
    return network


if __name__ == "__main__":
    main()
