"""Pictures as the TFRecords that a stock pipeline reads, in three splits; not measured.

python -m benchmarks.speed.contenders.records PICTURES RECORDS
"""

import argparse
import json
import random
from pathlib import Path

import tensorflow as tf

SHARES = {"train": (0.0, 0.8), "eval": (0.8, 0.9), "test": (0.9, 1.0)}


def main() -> None:
    """Writes `<split>/records-00000.gz`, and counts.json last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("records", type=Path)
    arguments = parser.parse_args()
    files = sorted(arguments.pictures.glob("*/*"))
    random.Random(0).shuffle(files)
    counts = {}
    for split, (low, high) in SHARES.items():
        chosen = files[int(low * len(files)) : int(high * len(files))]
        path = arguments.records / split / "records-00000.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for one in chosen:
                writer.write(to_example(one))
        counts[split] = len(chosen)
    (arguments.records / "counts.json").write_text(json.dumps(counts), encoding="utf-8")


def to_example(path: Path) -> bytes:
    """Serializes a picture and the name of its folder."""
    values = {"image": path.read_bytes(), "label": path.parent.name.encode()}
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


if __name__ == "__main__":
    main()
