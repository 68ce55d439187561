"""One version of the model in memory: its signatures, its pictures, its warm-up."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401 (a model with texts loads only after it)
from absl import logging
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from preprocessing.config import ImageFeature
from preprocessing.errors import DataError, GraftError
from preprocessing.model_info import ModelInfo, read_model_info
from serving.server.refusal import Code, Refusal, of_tensorflow
from serving.server.tensors import from_proto

DEFAULT_SIGNATURE = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
_WARMUP = "assets.extra/tf_serving_warmup_requests"


class LoadError(GraftError):
    """A version cannot be served."""


class Model:
    """A loaded SavedModel.

    Attributes:
        signatures: What each takes and gives, by name.
        pictures: Names of the features that are encoded pictures; none are
            known of a model that was not exported by Graft.
    """

    def __init__(self, folder: Path) -> None:
        """Loads a model.

        Raises:
            LoadError: If it is no SavedModel with the tag `serve`.
        """
        self.signatures = _read_signatures(folder)
        self.info = _read_info(folder)
        features = self.info.features if self.info else {}
        self.pictures = [name for name, one in features.items() if isinstance(one, ImageFeature)]
        # Kept, because its functions do not keep it.
        self._loaded = tf.saved_model.load(str(folder))
        self._functions = dict(self._loaded.signatures)

    def signature(self, name: str) -> meta_graph_pb2.SignatureDef:
        """Finds a signature that can be run; an empty name is the default one.

        Raises:
            Refusal: If there is none of this name.
        """
        wanted = name or DEFAULT_SIGNATURE
        if wanted not in self._functions:
            valid = ", ".join(sorted(self._functions))
            message = (
                f'Serving signature name: "{wanted}" not found in signature def; valid: {valid}'
            )
            raise Refusal(Code.FAILED_PRECONDITION, message)
        return self.signatures[wanted]

    def run(
        self, signature: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            signature: Its name; empty for the default one.
            inputs: An array for each of its inputs.
            outputs: Those that are wanted; none means all.

        Raises:
            Refusal: With the code that TensorFlow gives its error.
        """
        name = signature or DEFAULT_SIGNATURE
        try:
            tensors = {key: tf.constant(value) for key, value in inputs.items()}
            found = self._functions[name](**tensors)
            return {key: found[key].numpy() for key in outputs or sorted(found)}
        except tf.errors.OpError as error:
            raise of_tensorflow(error) from error


def load_model(folder: Path) -> Model:
    """Loads a version and runs its warm-up requests.

    Raises:
        LoadError: If it cannot be loaded, or refuses one of them.
    """
    began = time.monotonic()
    try:
        model = Model(folder)
        requests = _warm_up(model, folder)
    except (tf.errors.OpError, OSError, ValueError, DataError, Refusal) as error:
        raise LoadError(str(error)) from error
    seconds = time.monotonic() - began
    logging.info("Loaded %s in %.1f s, with %d warm-up requests", folder, seconds, requests)
    return model


def _read_signatures(folder: Path) -> dict[str, meta_graph_pb2.SignatureDef]:
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    except DecodeError as error:
        raise LoadError(f"saved_model.pb cannot be understood: {error}") from error
    for graph in saved.meta_graphs:
        if tf.saved_model.SERVING in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise LoadError("saved_model.pb holds no model with the tag `serve`")


def _read_info(folder: Path) -> ModelInfo | None:
    try:
        return read_model_info(str(folder))
    except DataError:
        what = "%s was not exported by Graft: its pictures are not measured before they are decoded"
        logging.warning(what, folder)
        return None


def _warm_up(model: Model, folder: Path) -> int:
    """Runs the requests that were pushed with a model, as TF Serving does."""
    path = folder / _WARMUP
    if not path.is_file():
        return 0
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    for record in records:
        log = prediction_log_pb2.PredictionLog.FromString(record)
        request = log.predict_log.request
        name = request.model_spec.signature_name
        wanted = model.signature(name).inputs
        inputs = {key: from_proto(key, one, wanted[key]) for key, one in request.inputs.items()}
        model.run(name, inputs)
    return len(records)
