"""keras: handles: models of tf_keras.applications, without top, averaged.

The record's range is (0, 255) for every one of them: each model's own
preprocess_input runs inside the graph, and those that preprocess by themselves
(MobileNetV3, EfficientNet, ConvNeXt, …) have one that does nothing.

The vendored content is the weight file and `application.json`, which says what
to build around it.
"""

import hashlib
import inspect
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import tf_keras

from preprocessing.config import BackboneConfig, Record
from preprocessing.errors import BackboneError, explain
from trainer.backbones.applications import APPLICATIONS
from trainer.backbones.download import offline_advice
from trainer.backbones.handles import Handle
from trainer.backbones.module import BackboneModule
from trainer.backbones.record import Backbone, Interface
from trainer.backbones.store import file_digest

INPUT_RANGE = (0.0, 255.0)

WEIGHT_SUFFIXES = (".h5", ".hdf5")

# Set by us, or a matter of the top that is cut off.
_NOT_FOR_USERS = {
    "include_top",
    "weights",
    "input_tensor",
    "input_shape",
    "pooling",
    "classes",
    "classifier_activation",
    "include_preprocessing",
    "model_name",
    "kwargs",
}


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


def source(config: BackboneConfig, handle: Handle, base: Path) -> str:
    """Names what the handle stands for; a weight file by its digest.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        base: Folder that relative paths start from.

    Returns:
        A string that changes when the content may have changed.

    Raises:
        BackboneError: If the weight file does not exist or has a wrong suffix.
    """
    weights = f"sha256:{file_digest(_weight_file(config, base))}" if _own(config) else "imagenet"
    arguments = json.dumps(config.arguments, sort_keys=True)
    return f"{config.handle} {arguments} {_size(config, handle)} {weights}"


def stage(config: BackboneConfig, handle: Handle, base: Path, folder: Path) -> None:
    """Puts the weights, tried on the model, into an empty folder.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        base: Folder that relative paths start from.
        folder: Where the content goes.

    Raises:
        BackboneError: If the arguments or the weights do not fit the model, or
            ImageNet weights cannot be downloaded.
    """
    _check_arguments(config, handle)
    size = _size(config, handle)
    if _own(config):
        original = _weight_file(config, base)
        kind, name = _role(handle.target, original)
        shutil.copyfile(original, folder / name)
    else:
        kind, name = "imagenet", _download_imagenet(config, handle, size, folder)
    application = Application(
        application=handle.target,
        arguments=config.arguments,
        weights=kind,
        file=name,
        feature_width=0,
    )
    model = _build(application, size, folder, origin=config.weights or config.handle)
    application = application.model_copy(update={"feature_width": int(model.output_shape[-1])})
    content = json.dumps(application.model_dump(), sort_keys=True, indent=2)
    (folder / "application.json").write_text(content + "\n", encoding="utf-8")


def describe(config: BackboneConfig, handle: Handle, folder: Path) -> Interface:
    """Reads what staging found out.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        folder: The vendored content.

    Returns:
        Its interface; the native size of the model where the config gives none.
    """
    size = _size(config, handle)
    return Interface(
        height=size,
        width=size,
        input_range=INPUT_RANGE,
        feature_width=_read(folder).feature_width,
    )


def load(backbone: Backbone) -> BackboneModule:
    """Builds the model and fills in the vendored weights.

    Args:
        backbone: The record that vendoring gave.

    Returns:
        The backbone in inference mode.
    """
    folder = Path(backbone.path)
    application = _read(folder)
    model = _build(application, backbone.height, folder, origin=backbone.handle)
    preprocess = _preprocess_input(application.application)
    return BackboneModule(
        lambda images: model(preprocess(images), training=False), model, model.variables, backbone
    )


def _own(config: BackboneConfig) -> bool:
    """Whether the user brings the weights."""
    return config.weights not in (None, "imagenet")


def _size(config: BackboneConfig, handle: Handle) -> int:
    """Side of the input picture, in pixels."""
    return config.size or APPLICATIONS[handle.target]


def _read(folder: Path) -> Application:
    """Reads application.json."""
    return Application.model_validate_json((folder / "application.json").read_bytes())


def _weight_file(config: BackboneConfig, base: Path) -> Path:
    """Finds the user's weight file."""
    path = base / Path(str(config.weights)).expanduser()
    if not path.is_file():
        raise BackboneError(
            explain(
                f"There is no such weight file: {path}",
                config.weights,
                ("imagenet", "the path of a no-top weight file"),
                str(base),
            )
        )
    if path.suffix not in WEIGHT_SUFFIXES:
        raise BackboneError(
            explain("A weight file of Keras is HDF5.", config.weights, WEIGHT_SUFFIXES)
        )
    return path


def _constructor(name: str) -> Any:
    """Finds a model's constructor."""
    return getattr(tf_keras.applications, name)


def _module(name: str) -> Any:
    """Finds the module that a constructor is defined in."""
    return sys.modules[_constructor(name).__module__]


def _preprocess_input(name: str) -> Any:
    """Finds the preprocessing that belongs to a model."""
    return _module(name).preprocess_input


def _role(name: str, weights: Path) -> tuple[Literal["imagenet", "file"], str]:
    """Tells Keras's own published file, brought by the user, from any other.

    EfficientNet is built with one layer more for its published weights, so the
    same file would compute something else if it were taken for a foreign one.
    """
    published = getattr(_module(name), "WEIGHTS_HASHES", {})
    if name.startswith("EfficientNetB"):
        md5 = hashlib.md5(weights.read_bytes(), usedforsecurity=False).hexdigest()
        if any(md5 in hashes for hashes in published.values()):
            return "imagenet", f"{name.lower()}_notop.h5"
    # Keras chooses the reader by the ending.
    newer = weights.name.endswith(".weights.h5")
    return "file", "no_top.weights.h5" if newer else "no_top.h5"


def _check_arguments(config: BackboneConfig, handle: Handle) -> None:
    """Refuses arguments that the constructor lacks or that we set ourselves."""
    parameters = inspect.signature(_constructor(handle.target)).parameters
    valid = sorted(set(parameters) - _NOT_FOR_USERS)
    for name in config.arguments:
        if name not in valid:
            what = f"tf_keras.applications.{handle.target} has no argument for users of this name."
            raise BackboneError(explain(what, name, valid or ("none",)))


def _build(application: Application, size: int, folder: Path, origin: str) -> tf_keras.Model:
    """Builds a model with the weights of a folder."""
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


def _construct(name: str, arguments: dict[str, Any], size: int, weights: str | None) -> Any:
    """Calls the constructor; its complaints become ours."""
    try:
        return _constructor(name)(
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


def _download_imagenet(config: BackboneConfig, handle: Handle, size: int, folder: Path) -> str:
    """Lets Keras download its weights into a folder; gives the file's name."""
    with _keras_home() as models:
        try:
            _construct(handle.target, config.arguments, size, "imagenet")
        except BackboneError:
            raise
        except Exception as error:  # Keras raises bare Exception for a failed download.
            raise BackboneError(
                explain(
                    f"The imagenet weights cannot be downloaded: {str(error).splitlines()[0]}",
                    config.handle,
                    see=offline_advice("keras"),
                )
            ) from error
        (weights,) = models.iterdir()
        shutil.move(weights, folder / weights.name)
        return weights.name


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
