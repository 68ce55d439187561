"""The least that must be done with texts: read, tokenise and embed every one once.

    python -m benchmarks.speed.contenders.texts_floor TABLE BACKBONE COLUMN

Batches are as long as their longest text; the vector is the mean over the tokens.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from transformers import AutoTokenizer, TFAutoModel

LONGEST = 128


def main() -> None:
    """Prints what was done as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("backbone", help="folder or id of a HuggingFace model")
    parser.add_argument("column")
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    started = time.monotonic()
    with arguments.table.open(newline="", encoding="utf-8") as file:
        texts = [row[arguments.column] for row in csv.DictReader(file)]
    tokenizer = AutoTokenizer.from_pretrained(arguments.backbone)
    model = TFAutoModel.from_pretrained(arguments.backbone)

    # Traced once, for batches of any length.
    numbers = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[numbers, numbers])
    def embed(ids: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        hidden = model(ids, attention_mask=present, training=False).last_hidden_state
        mask = tf.cast(present, tf.float32)[..., tf.newaxis]
        return tf.reduce_sum(hidden * mask, axis=1) / tf.reduce_sum(mask, axis=1)

    vectors = []
    for at in range(0, len(texts), arguments.batch):
        tokens = tokenizer(
            texts[at : at + arguments.batch],
            padding=True,
            truncation=True,
            max_length=LONGEST,
            return_tensors="tf",
        )
        vectors.append(embed(tokens["input_ids"], tokens["attention_mask"]).numpy())
    count = len(np.concatenate(vectors))
    done = {"examples": count, "inside_s": time.monotonic() - started}
    sys.stdout.write("\n" + json.dumps(done) + "\n")


if __name__ == "__main__":
    main()
