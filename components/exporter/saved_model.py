"""The exported SavedModel, from which exports are made and with which they are compared.

Of its signatures (trainer/export.py) those without strings are what an export
can take over, and `prepared_examples` is what feeds it.
"""

import posixpath
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.exporter.report import Latency

SIGNATURE = "serving_tensors"
# What a task gives that is no text.
_FIGURES = ("probabilities", "value")
# Calls before the clock counts: the first ones plan and allocate.
WARM_UP = 5


class SavedModel:
    """A loaded model, kept whole for as long as its functions are called."""

    def __init__(self, folder: str) -> None:
        """Loads it.

        Args:
            folder: Of the SavedModel.
        """
        self.folder = folder
        self._loaded = tf.saved_model.load(folder)
        self._signatures = self._loaded.signatures

    @property
    def takes_tensors(self) -> bool:
        """Whether there is a signature without strings."""
        return SIGNATURE in self._signatures

    @property
    def inputs(self) -> dict[str, tf.TensorSpec]:
        """What that signature takes, by name."""
        return self._signatures[SIGNATURE].structured_input_signature[1]

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        walked = tf.io.gfile.walk(self.folder)
        paths = [posixpath.join(place, name) for place, _, names in walked for name in names]
        return sum(tf.io.gfile.stat(path).length for path in paths)

    def prepare(self, batches: Iterable[tf.Tensor]) -> Iterator[dict[str, np.ndarray]]:
        """Makes the tensors of serialized examples, `[batch, …]` by name."""
        prepare = self._signatures["prepared_examples"]
        for batch in batches:
            yield {name: one.numpy() for name, one in prepare(examples=batch).items()}

    def predict(self, batches: Iterable[tf.Tensor]) -> np.ndarray:
        """Runs the deployed signature on serialized examples; `[examples, …]` float32."""
        serve = self._signatures["serving_examples"]
        outputs = [figure(serve(examples=batch)).numpy() for batch in batches]
        return np.concatenate(outputs)

    def labels(self, batches: Iterable[tf.Tensor]) -> np.ndarray:
        """Reads the labels of serialized examples, as the loss takes them."""
        read = self._signatures["transformed_labels"]
        return np.concatenate([read(examples=batch)["label_id"].numpy() for batch in batches])

    def measure(self, examples: Iterable[dict[str, np.ndarray]]) -> Latency:
        """Times the signature without strings, one example at a time."""
        serve = self._signatures[SIGNATURE]
        milliseconds = []
        for example in examples:
            tensors = {name: tf.constant(one) for name, one in example.items()}
            start = time.perf_counter()
            figure(serve(**tensors)).numpy()
            milliseconds.append(1000 * (time.perf_counter() - start))
        return percentiles(milliseconds)

    def write_part(self, folder: Path, batch: int | None) -> None:
        """Writes a SavedModel of the signature without strings alone.

        Args:
            folder: Where to.
            batch: Its batch size; None for any.
        """
        serve = self._signatures[SIGNATURE]
        specs = {
            name: tf.TensorSpec([batch, *one.shape[1:]], one.dtype, name)
            for name, one in self.inputs.items()
        }

        @tf.function(input_signature=[specs], autograph=False)
        def call(tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return serve(**tensors)

        part = tf.Module()
        part.variables_read = list(serve.variables)
        part.call = call
        tf.saved_model.save(part, str(folder), {SIGNATURE: call.get_concrete_function()})


def figure(outputs: dict[str, Any]) -> Any:
    """What a model gives that is no text: probabilities or numbers."""
    return next(outputs[name] for name in _FIGURES if name in outputs)


def percentiles(milliseconds: list[float]) -> Latency:
    """Sums up how long each call took, the first ones left out."""
    counted = milliseconds[WARM_UP:] or milliseconds
    p50, p95 = np.percentile(counted, [50, 95])
    return Latency(p50=round(float(p50), 3), p95=round(float(p95), 3))
