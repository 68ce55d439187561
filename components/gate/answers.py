"""What the training path said of a split, in the place of calling the model again.

The Trainer notes it (trainer/predictions.py), from vectors that are there
already. It counts only where the ServingValidator found in a clean process that
the exported model says the same, and where it covers every example.
"""

import hashlib
import io
import itertools
import json
import posixpath
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from components.gate.eval_config import label_column, prediction_column
from preprocessing.streams import each_record

# As the ServingValidator writes it.
_REPORT = "report.json"
_KEYS, _LABELS = "examples", "label_id"


class Proved(NamedTuple):
    """A model whose answers may be read.

    Attributes:
        model_run: Folder of what the Trainer left beside it.
        blessing: Folder of the ServingValidator's report.
    """

    model_run: str
    blessing: str


class Answers(NamedTuple):
    """One model's, of a split.

    Attributes:
        rows: Row of each example, by the SHA-256 of the raw one in hex.
        predictions: `[rows, classes]` float32; of a regression `[rows]`.
        labels: As the loss takes them, `[rows, …]`.
    """

    rows: dict[str, int]
    predictions: np.ndarray
    labels: np.ndarray


def read_answers(model: Proved, split: str, output: str, signature: str) -> Answers | None:
    """Reads what a model says of a split.

    Args:
        model: Which.
        split: Name of the split.
        output: What predictions are called: `probabilities` or `value`.
        signature: The one that would be called else.

    Returns:
        The answers; None where it was not proved that the signature gives the
        same, or there are none.
    """
    report = _read(posixpath.join(model.blessing, _REPORT))
    content = _read(posixpath.join(model.model_run, f"{split}_predictions.npz"))
    if report is None or content is None:
        return None
    try:
        if not _agrees(json.loads(report), signature):
            return None
        with np.load(io.BytesIO(content)) as arrays:
            rows = {key.decode(): row for row, key in enumerate(arrays[_KEYS])}
            return Answers(rows, arrays[output], arrays[_LABELS])
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        # Then the model itself is asked.
        logging.warning("The noted answers in %s cannot be used: %r", model.model_run, error)
        return None


def write_answers(
    files: Sequence[str],
    keys: Sequence[str],
    target: str,
    models: Mapping[str, Answers],
    columns: Sequence[str],
) -> None:
    """Writes tf.Examples that have predictions and labels instead of pictures and texts.

    Args:
        files: TFRecord files of the raw examples.
        keys: Of each, as `read_keys` gives them.
        target: File to write.
        models: The answers of each to all of them, by its name in the eval config.
        columns: Raw columns to keep, for slices.
    """
    with tf.io.TFRecordWriter(target) as writer:
        # Without slices there is nothing to read in them.
        examples = read_raw(files) if columns else itertools.repeat(b"")
        for key, raw in zip(keys, examples, strict=False):
            example = _keep(raw, columns)
            for name, answers in models.items():
                row = answers.rows[key]
                _add(example, prediction_column(name), answers.predictions[row])
                _add(example, label_column(name), answers.labels[row])
            writer.write(example.SerializeToString())


def read_raw(files: Sequence[str]) -> Iterator[bytes]:
    """Reads serialized tf.Examples of TFRecord files."""
    for file in files:
        compression = "GZIP" if file.endswith(".gz") else ""
        yield from each_record(tf.data.TFRecordDataset(file, compression))


def read_keys(files: Sequence[str]) -> list[str]:
    """Gives the key of each raw example, in order: its SHA-256 in hex."""
    return [hashlib.sha256(raw).hexdigest() for raw in read_raw(files)]


def _agrees(report: Mapping[str, Any], signature: str) -> bool:
    """Whether the clean process found this signature to say what the training path says."""
    compared = [one for one in report["parity"] if one["signature"] == signature]
    return report["blessed"] and all(one["examples"] > 0 for one in compared) and bool(compared)


def _read(path: str) -> bytes | None:
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path, "rb") as file:
        return file.read()


def _keep(raw: bytes, columns: Sequence[str]) -> tf.train.Example:
    example = tf.train.Example()
    given = tf.train.Example.FromString(raw).features.feature
    for name in columns:
        if name in given:
            example.features.feature[name].CopyFrom(given[name])
    return example


def _add(example: tf.train.Example, name: str, value: np.ndarray) -> None:
    feature = example.features.feature[name]
    if value.dtype.kind == "i":
        feature.int64_list.value.extend(np.atleast_1d(value))
    else:
        feature.float_list.value.extend(np.atleast_1d(value))
