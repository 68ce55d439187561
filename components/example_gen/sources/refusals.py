"""What a file system says that does not let us in, as an error of the data's."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from components.example_gen.config import Paths
from preprocessing.errors import DataError, explain


@contextlib.contextmanager
def explained(path: Paths) -> Iterator[None]:
    """Turns what TensorFlow's file systems raise into a DataError.

    Args:
        path: Of the source that is looked at.
    """
    try:
        yield
    except tf.errors.OpError as error:
        what = f"data.source.path cannot be read: {error.message}"
        raise DataError(explain(what, str(path))) from error
