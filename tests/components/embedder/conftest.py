"""An embedding whose vectors are arithmetic, and which counts what it is asked for."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from trainer.embed import Scanned, VectorColumn, Vectors


class Doubling:
    """Each example is a number; its vector twice that, view v's 1000 v more."""

    def __init__(self, width=2, fail_after=None, dtype="float32"):
        self.computed = []
        self.fail_after = fail_after
        self.columns = {
            "image": VectorColumn(
                width=width,
                dtype=dtype,
                seeded=True,
                marked=True,
                identity={"backbone": "doubling", "dtype": dtype},
                views={"augment": 1},
                about={"handle": "hub:doubling", "kind": "image"},
            )
        }
        self.width = width

    def scan(self, serialized):
        contents = serialized.numpy()
        numbers = np.array([int(one) for one in contents])
        return Scanned({"label": numbers}, {"image": contents})

    def seeds(self, serialized, view):
        return np.array([[int(one), view] for one in serialized.numpy()])

    def embed(self, name, wanted):
        for serialized, slots in wanted.as_numpy_iterator():
            number = int(serialized)
            if self.fail_after is not None and len(self.computed) >= self.fail_after:
                raise RuntimeError("out of memory")
            self.computed.append(number)
            views = np.flatnonzero(slots >= 0)
            vectors = number * 2.0 + 1000 * views[:, None] + np.arange(self.width)
            cut = np.full(len(views), number % 3 == 0)
            yield Vectors(slots[views], vectors.astype(np.float32), cut)


@pytest.fixture
def doubling():
    return Doubling()


@pytest.fixture
def make_doubling():
    return Doubling


@pytest.fixture
def write_shard():
    """Writes a TFRecord file of numbers."""

    def write(path, numbers):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(path), "GZIP" if path.suffix == ".gz" else "") as writer:
            for number in numbers:
                writer.write(b"%d" % number)
        return str(path)

    return write


@pytest.fixture
def keys_of():
    """Makes keys of numbers."""

    def make(numbers):
        digests = b"".join(hashlib.sha256(b"%d" % number).digest() for number in numbers)
        return np.frombuffer(digests, np.uint8).reshape(-1, 32)

    return make
