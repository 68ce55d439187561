"""How a model is called, loaded once for each process."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from preprocessing.model_info import ModelInfo

_SIGNATURE = "serving_examples"

PredictFn = Callable[[Sequence[bytes]], dict[str, np.ndarray]]


def load_model(path: str, info: ModelInfo) -> PredictFn:
    """Loads a model once for each process.

    Args:
        path: Its folder.
        info: What it takes and gives.

    Returns:
        From serialized tf.Examples `[batch]` to the model's outputs, without
        the names of the classes, which are the same for all.
    """
    return _load(path, info.has_texts)


@functools.lru_cache(maxsize=1)
def _load(path: str, has_texts: bool) -> PredictFn:
    if has_texts:
        import tensorflow_text  # noqa: F401
    model = tf.saved_model.load(path)
    signature = model.signatures[_SIGNATURE]

    def predict(examples: Sequence[bytes]) -> dict[str, np.ndarray]:
        outputs = signature(examples=tf.constant(list(examples), tf.string))
        return {name: outputs[name].numpy() for name in outputs if name != "classes"}

    # The function refers to its model weakly.
    predict.model = model  # type: ignore[attr-defined]
    return predict
