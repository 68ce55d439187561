"""What the training path says of the held-out splits, as `<split>_predictions.npz`.

The ServingValidator compares a served model with it; where they agree, the
Evaluators read it and need no second pass through the backbones.
"""

import hashlib
import io
import posixpath
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from preprocessing.errors import DataError
from preprocessing.kinds import raw_columns
from preprocessing.streams import each_record
from trainer.datasets import read_features
from trainer.export import LABEL_ID, ServedModel
from trainer.features import FeatureExtractor
from trainer.records import read_records
from trainer.tasks.registry import TASKS

PREDICTIONS_FILE = "{split}_predictions.npz"
# What a split's answers may take in memory; the rest of a larger one is left out.
LIMIT_BYTES = 256 * 2**20
_VECTORS, _RAW = 256, 32

Answers = Iterator[dict[str, np.ndarray]]


def predict_split(
    served: ServedModel,
    extractor: FeatureExtractor,
    vectors: Sequence[str],
    raw: Sequence[str],
    *,
    tuned: bool,
) -> dict[str, np.ndarray]:
    """Runs a split through what was trained, without saving or loading it.

    Args:
        served: What is going to be exported.
        extractor: The one in it.
        vectors: Patterns of its files of vectors.
        raw: Patterns of the files of raw examples that these are vectors of.
        tuned: Whether the backbones were trained. If not, the stored vectors
            go through the head, as they did in training.

    Returns:
        Of as many examples as `LIMIT_BYTES` has room for, in order: `examples`,
        the SHA-256 of each raw one in hex; `label_id` as the loss takes it; what
        the task gives (trainer/tasks), but `classes` as one row, no `labels`, and
        texts as UTF-8.

    Raises:
        DataError: If there is not a vector for each raw example.
    """
    limit = LIMIT_BYTES // (8 * max(1, len(served.info.classes)) + 64)
    examples = read_records(raw, "raw examples").take(limit)
    if tuned:
        parts = [*_from_examples(served, extractor, examples)]
    else:
        parts = [*_from_vectors(served, extractor, vectors, limit)]
    names = parts[0] if parts else ()
    answers = {name: np.concatenate([part[name] for part in parts]) for name in names}
    if "classes" in answers:
        answers["classes"] = answers["classes"][:1]
    keys = [hashlib.sha256(one).hexdigest() for one in each_record(examples)]
    if parts and len(keys) != len(answers[LABEL_ID]):
        said = f"{len(keys)} raw examples have {len(answers[LABEL_ID])} vectors"
        raise DataError(f"{said}: {', '.join(raw)}; run again with --no-cache.")
    answers = {"examples": np.array(keys, object), **answers}
    return {n: one.astype("S") if one.dtype == object else one for n, one in answers.items()}


def write_predictions(predictions: dict[str, np.ndarray], folder: str, split: str) -> None:
    """Writes what `predict_split` gave into a folder, which may be in a bucket."""
    content = io.BytesIO()
    np.savez_compressed(content, **predictions)
    with tf.io.gfile.GFile(
        posixpath.join(folder, PREDICTIONS_FILE.format(split=split)), "wb"
    ) as file:
        file.write(content.getvalue())


def _from_vectors(
    served: ServedModel, extractor: FeatureExtractor, vectors: Sequence[str], limit: int
) -> Answers:
    label, classes = extractor.config.label, served.info.classes
    stored = read_features(
        vectors,
        extractor.head_inputs,
        label.name,
        TASKS[label.task].label(len(classes)),
    )
    for features, labels in stored.take(limit).batch(_VECTORS):
        yield _noted({**served.answer(features), LABEL_ID: labels})


def _from_examples(
    served: ServedModel, extractor: FeatureExtractor, raw: tf.data.Dataset
) -> Answers:
    label = extractor.config.label.name
    columns = raw_columns(extractor.config.features)
    columns[label] = tf.io.FixedLenFeature([], tf.string)

    @tf.function(autograph=False, reduce_retracing=True)
    def run(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = extractor.preprocess(tf.io.parse_example(serialized, columns))
        labels = inputs.pop(label)
        return {**served.answer(extractor.to_head(extractor.prepare(inputs))), LABEL_ID: labels}

    for serialized in raw.batch(_RAW):
        yield _noted(run(serialized))


def _noted(outputs: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
    """Without names of classes in every row: each is an object of its own in memory."""
    rows = {name: one[:1] if name == "classes" else one for name, one in outputs.items()}
    return {name: one.numpy() for name, one in rows.items() if name != "labels"}
