"""What a backbone costs is measured once it is ready and warm."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from trainer import scout
from trainer.embed import Vectors

LOADING, TRACING, EACH = 100.0, 10.0, 0.5


class Slow:
    """Loads at first, traces each of two lengths once, and takes its time for an example."""

    def __init__(self, clock):
        self.clock = clock
        self.waits = {0: TRACING, 1: TRACING}

    def embed(self, name, wanted):
        assert name == "title"
        self.clock.now += self.waits.pop("loading", 0.0)
        for number, (_, slots) in enumerate(wanted.batch(16).as_numpy_iterator()):
            self.clock.now += self.waits.pop(number % 2, 0.0) + EACH * len(slots)
            yield Vectors(slots[:, 0], np.zeros((len(slots), 3), np.float32), slots[:, 0] > 0)


@pytest.fixture
def measure(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(scout, "time", SimpleNamespace(monotonic=lambda: clock.now))
    embedding = Slow(clock)
    embedding.waits["loading"] = LOADING

    def measure(count):
        serialized = tf.data.Dataset.range(count).map(tf.as_string)
        return scout.time_backbone(embedding, "title", serialized)

    return measure


@pytest.mark.parametrize("count", [32, 256])
def test_neither_loading_nor_tracing_counts(measure, count):
    assert measure(count) == 1000 * EACH


def test_without_examples_there_is_no_figure(measure):
    assert measure(0) is None
