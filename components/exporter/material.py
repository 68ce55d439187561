"""What every format is made from and judged on: prepared once for all of them."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.exporter.config import ExportConfig
from components.exporter.report import Latency
from components.exporter.samples import sample_examples
from components.exporter.saved_model import SavedModel
from components.exporter.tensor_files import read_examples, write_tensors

# Calls of the SavedModel that are timed.
_TIMED = 100


class Material(NamedTuple):
    """Files and figures that the formats share.

    Attributes:
        one: A SavedModel of tensors alone that takes one example a call.
        any: The same for any number of examples.
        sample: Folder of tensors of training examples, for tflite_int8.
        tensors: Folder of tensors of eval examples; None where nothing is run.
        outputs: What the deployed signature says of these, `[examples, …]`.
        labels: Their labels, as the loss takes them.
        latency: Of the SavedModel.
    """

    one: Path
    any: Path
    sample: Path
    tensors: Path | None = None
    outputs: np.ndarray | None = None
    labels: np.ndarray | None = None
    latency: Latency | None = None


def prepare(
    model: SavedModel, splits: Mapping[str, str], folder: Path, config: ExportConfig
) -> Material:
    """Prepares everything that the formats share.

    Args:
        model: The exported model.
        splits: Folder of the examples of `train` and `eval`.
        folder: An empty folder for it.
        config: What is asked for.

    Returns:
        Where everything is.
    """
    material = Material(folder / "one", folder / "any", folder / "sample")
    model.write_part(material.one, batch=1)
    model.write_part(material.any, batch=None)
    if "tflite_int8" in config.formats:
        sample = sample_examples(splits["train"], config.representative_examples)
        write_tensors(material.sample, model.prepare(sample))
    if not config.check:
        return material
    batches = list(sample_examples(splits["eval"], config.eval_examples))
    tensors = folder / "eval"
    write_tensors(tensors, model.prepare(batches))
    return material._replace(
        tensors=tensors,
        outputs=model.predict(batches),
        labels=model.labels(batches),
        latency=model.measure(itertools.islice(read_examples(tensors), _TIMED)),
    )
