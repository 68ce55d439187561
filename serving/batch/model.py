"""Which model a folder holds, and how it is called."""

import functools
import posixpath
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from preprocessing.errors import UsageError, explain
from preprocessing.model_info import ModelInfo

_FILE = "saved_model.pb"
# Where the Trainer's artifact has the model that is served.
_TRAINED = "Format-Serving"
# Names in a message, at most.
_NAMED = 20
_SIGNATURE = "serving_examples"

PredictFn = Callable[[Sequence[bytes]], dict[str, np.ndarray]]


class FoundModel(NamedTuple):
    """A SavedModel's folder and, where it is the newest of several versions, of how many."""

    path: str
    newest_of: int | None = None


def find_model(folder: str) -> FoundModel:
    """Finds the model to take.

    Args:
        folder: A SavedModel's own folder, such as a pushed version; a folder of
            versions, of which the newest is taken; or the Trainer's artifact.

    Returns:
        The model.

    Raises:
        UsageError: If there is none; with what is there instead.
    """
    folder = folder.rstrip("/")
    if not tf.io.gfile.isdir(folder):
        parent = posixpath.dirname(folder)
        beside = [posixpath.join(parent, name) for name in _listed(parent or ".")[:_NAMED]]
        what = "The model must be a folder, and there is none of this name"
        raise UsageError(explain(what, folder, beside))
    if _is_model(folder):
        return FoundModel(folder)
    versions = sorted(
        (int(name) for name in _listed(folder) if name.isdecimal() and name.isascii()), reverse=True
    )
    models = [str(one) for one in versions if _is_model(posixpath.join(folder, str(one)))]
    if models:
        chosen = posixpath.join(folder, models[0])
        return FoundModel(chosen, len(models) if len(models) > 1 else None)
    trained = posixpath.join(folder, _TRAINED)
    if _is_model(trained):
        return FoundModel(trained)
    raise _not_a_model(folder)


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


def _not_a_model(folder: str) -> UsageError:
    what = f"This folder is no model: it has no {_FILE}, no versions and no {_TRAINED}/"
    names = _listed(folder)[:_NAMED]
    below = [posixpath.join(folder, name) for name in names]
    inner = [posixpath.join(one, name) for one in below for name in _listed(one)[-_NAMED:]]
    models = [one for one in (*below, *inner) if _is_model(one) or _is_model(f"{one}/{_TRAINED}")]
    more = f"There is a model in {models[-1]}" if models else f"It holds: {', '.join(names)}"
    return UsageError(explain(what, folder) + f"\n  {more}")


def _is_model(folder: str) -> bool:
    return tf.io.gfile.exists(posixpath.join(folder, _FILE))


def _listed(folder: str) -> list[str]:
    if not tf.io.gfile.isdir(folder):
        return []
    names = sorted(name.rstrip("/") for name in tf.io.gfile.listdir(folder))
    return [name for name in names if name and not name.startswith(".")]
