"""Requests from real examples that TF Serving answers to itself before its first client.

TensorFlow builds and optimises a signature's graph when it is first called; a
server that has called it does not let a client wait for that.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from preprocessing.kinds import raw_columns
from preprocessing.model_info import ModelInfo

RAW_SIGNATURE = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
# Each example stands in four requests; the whole stays a file that loads at once.
MAX_BYTES = 4 << 20
# Where many are too large, others are looked for so far and no further.
_LOOKED_AT_FOR_EACH = 8


def write_warmup(
    info: ModelInfo, examples: Sequence[str], signature: str, path: str, count: int
) -> int:
    """Writes the requests: each example by itself, and all together, for each signature.

    Only the columns that the model looks at are taken, no label and no other
    column. Examples that are too large together with those before are left out;
    others are looked for among the first eight times `count`.

    Args:
        info: What the model takes.
        examples: TFRecord files of serialized tf.Examples, perhaps none.
        signature: The one that takes serialized tf.Examples.
        path: File to write, where there are examples.
        count: Examples at most.

    Returns:
        The number of requests, at most `2 * count + 2`, of which TF Serving
        takes 1,000; 0 where there is no example, and then no file.
    """
    most = _LOOKED_AT_FOR_EACH * count
    chosen = list(itertools.islice(_fitting(info, examples, most), count))
    if not chosen:
        return 0
    batches = [[one] for one in chosen] + ([chosen] if len(chosen) > 1 else [])
    requests = [
        _request(name, inputs)
        for batch in batches
        for name, inputs in (
            (RAW_SIGNATURE, _columns(info, batch)),
            (signature, {"examples": tf.constant(batch)}),
        )
    ]
    with tf.io.TFRecordWriter(path) as writer:
        for request in requests:
            writer.write(request.SerializeToString())
    return len(requests)


def _fitting(info: ModelInfo, files: Sequence[str], most: int) -> Iterator[bytes]:
    """Gives what has room, of so many examples at most: a split may be long, and large."""
    room = MAX_BYTES // 4
    for record in itertools.islice(_records(files), most):
        example = _without_others(record, info)
        if len(example) <= room:
            room -= len(example)
            yield example


def _records(files: Sequence[str]) -> Iterator[bytes]:
    for file in files:
        kind = "GZIP" if file.endswith(".gz") else ""
        yield from tf.data.TFRecordDataset(file, compression_type=kind).as_numpy_iterator()


def _without_others(record: bytes, info: ModelInfo) -> bytes:
    example = tf.train.Example.FromString(record)
    kept = {name: one for name, one in example.features.feature.items() if name in info.features}
    return tf.train.Example(features=tf.train.Features(feature=kept)).SerializeToString(
        deterministic=True
    )


def _columns(info: ModelInfo, batch: Sequence[bytes]) -> Mapping[str, tf.Tensor]:
    return tf.io.parse_example(tf.constant(batch), raw_columns(info.features))


def _request(signature: str, inputs: Mapping[str, tf.Tensor]) -> prediction_log_pb2.PredictionLog:
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, tensor in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(tensor.numpy()))
    return log
