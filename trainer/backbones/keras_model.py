"""Builds the models of tf_keras.applications with the weights of a folder.

Keras's own ImageNet weights go through Keras's own constructor, because some
models are built differently for them; its cache is ours while it works.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import tf_keras

from preprocessing.config import Record
from preprocessing.errors import BackboneError, explain
from trainer.backbones.download import offline_advice


class Application(Record):
    """What to build around a weight file; lies beside it as application.json.

    Attributes:
        application: Name of the constructor.
        arguments: Its arguments.
        weights: Whether Keras's own ImageNet weights or the user's; some
            models, such as EfficientNet, are built differently for them.
        file: Name of the weight file.
        feature_width: Length of the feature vector.
    """

    application: str
    arguments: dict[str, Any]
    weights: Literal["imagenet", "file"]
    file: str
    feature_width: int


def constructor(name: str) -> Any:
    """Finds a model's constructor.

    Args:
        name: Name of the application.

    Returns:
        The function that builds it.
    """
    return getattr(tf_keras.applications, name)


def _module(name: str) -> Any:
    """Finds the module that a constructor is defined in."""
    return sys.modules[constructor(name).__module__]


def preprocess_input(name: str) -> Any:
    """Finds the preprocessing that belongs to a model.

    Args:
        name: Name of the application.

    Returns:
        Function from [batch, height, width, 3] float32 RGB in [0, 255] to what
        the model takes.
    """
    return _module(name).preprocess_input


def weights_role(name: str, weights: Path) -> tuple[Literal["imagenet", "file"], str]:
    """Tells Keras's own published file, brought by the user, from any other.

    EfficientNet is built with one layer more for its published weights, so the
    same file would compute something else if it were taken for a foreign one.

    Args:
        name: Name of the application.
        weights: The user's weight file.

    Returns:
        Whose weights they are, and the file's name in the store.
    """
    published = getattr(_module(name), "WEIGHTS_HASHES", {})
    if name.startswith("EfficientNetB"):
        md5 = hashlib.md5(weights.read_bytes(), usedforsecurity=False).hexdigest()
        if any(md5 in hashes for hashes in published.values()):
            return "imagenet", f"{name.lower()}_notop.h5"
    # Keras chooses the reader by the ending.
    newer = weights.name.endswith(".weights.h5")
    return "file", "no_top.weights.h5" if newer else "no_top.h5"


def build_model(application: Application, size: int, folder: Path, origin: str) -> tf_keras.Model:
    """Builds a model with the weights of a folder.

    Args:
        application: What to build, and around which file.
        size: Side of the square input, in pixels.
        folder: Folder of the weight file.
        origin: How the user knows the weights, for messages.

    Returns:
        The model from [batch, size, size, 3] to [batch, feature width].

    Raises:
        BackboneError: If arguments, size or weights do not fit the model.
    """
    if application.weights == "imagenet":
        with _keras_home() as models:
            os.symlink(folder / application.file, models / application.file)
            return _construct(application.application, application.arguments, size, "imagenet")
    model = _construct(application.application, application.arguments, size, None)
    try:
        model.load_weights(str(folder / application.file))
    except (ValueError, OSError, KeyError, IndexError) as error:
        reason = str(error).splitlines()[0]
        raise BackboneError(
            explain(
                f"The weight file does not fit {application.application} without its top, "
                f"arguments {application.arguments}: {reason}",
                origin,
            )
        ) from error
    return model


def download_imagenet(name: str, arguments: dict[str, Any], size: int, folder: Path) -> str:
    """Lets Keras download its weights.

    Args:
        name: Name of the application.
        arguments: Its arguments; some have weights of their own.
        size: Side of the square input, in pixels; likewise.
        folder: Where the file goes.

    Returns:
        The file's name, which is the one that Keras looks for.

    Raises:
        BackboneError: If there is no network, or no such weights.
    """
    with _keras_home() as models:
        try:
            _construct(name, arguments, size, "imagenet")
        except BackboneError:
            raise
        except Exception as error:  # Keras raises bare Exception for a failed download.
            raise BackboneError(
                explain(
                    f"The imagenet weights cannot be downloaded: {str(error).splitlines()[0]}",
                    f"keras:{name}",
                    see=offline_advice("keras"),
                )
            ) from error
        (weights,) = models.iterdir()
        shutil.move(weights, folder / weights.name)
        return weights.name


def _construct(name: str, arguments: dict[str, Any], size: int, weights: str | None) -> Any:
    """Calls the constructor; its complaints become ours."""
    try:
        return constructor(name)(
            input_shape=(size, size, 3),
            include_top=False,
            pooling="avg",
            weights=weights,
            **arguments,
        )
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise BackboneError(
            explain(
                f"tf_keras.applications.{name} cannot be built for {size} x {size} pictures with "
                f"weights {weights or 'from a file'}: {reason}",
                arguments,
            )
        ) from error


@contextmanager
def computing_in(dtype: str) -> Iterator[None]:
    """Layers made inside compute in this dtype; their weights are float32 whichever it is.

    Args:
        dtype: float32, bfloat16 or float16.
    """
    before = tf_keras.mixed_precision.global_policy()
    policy = "float32" if dtype == "float32" else f"mixed_{dtype}"
    tf_keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        tf_keras.mixed_precision.set_global_policy(before)


@contextmanager
def _keras_home() -> Iterator[Path]:
    """Gives Keras a cache of its own, so that no half-written file of ~/.keras is used.

    The cache hangs on HOME alone in Keras 2. Its announcements go to the log.
    """
    before, chatty = os.environ.get("HOME"), tf_keras.utils.is_interactive_logging_enabled()
    with tempfile.TemporaryDirectory() as home:
        models = Path(home) / ".keras" / "models"
        models.mkdir(parents=True)
        os.environ["HOME"] = home
        tf_keras.utils.disable_interactive_logging()
        try:
            yield models
        finally:
            if chatty:
                tf_keras.utils.enable_interactive_logging()
            if before is None:
                del os.environ["HOME"]
            else:
                os.environ["HOME"] = before
