"""Finds and reads TFRecord files, whoever wrote them."""

from collections.abc import Sequence

import tensorflow as tf

from preprocessing.errors import DataError
from preprocessing.streams import untuned


def read_records(files: str | Sequence[str], content: str) -> tf.data.Dataset:
    """Reads serialized examples.

    Args:
        files: File patterns, one or several; gzip where a name ends in .gz.
        content: What is in them, for the message.

    Returns:
        Scalar strings, in the order of the file names, gzipped files last.

    Raises:
        DataError: If no file matches.
    """
    patterns = [files] if isinstance(files, str) else list(files)
    paths = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise DataError(f"No file with {content} matches {', '.join(patterns)}.")
    zipped = [path for path in paths if path.endswith(".gz")]
    plain = [path for path in paths if not path.endswith(".gz")]
    records = tf.data.TFRecordDataset(plain)
    if zipped:
        records = records.concatenate(tf.data.TFRecordDataset(zipped, compression_type="GZIP"))
    return untuned(records)
