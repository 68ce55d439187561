"""keras: handles: models of tf_keras.applications, without top, averaged.

The record's range is (0, 255) for every one of them: each model's own
preprocess_input runs inside the graph, and those that preprocess by themselves
(MobileNetV3, EfficientNet, ConvNeXt, …) have one that does nothing.

The vendored content is the weight file and `application.json`, which says what
to build around it.
"""

import inspect
import json
import shutil
from pathlib import Path

import tensorflow as tf

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import ImageInput
from trainer.backbones.applications import APPLICATIONS
from trainer.backbones.handles import Handle
from trainer.backbones.keras_model import (
    Application,
    build_model,
    computing_in,
    constructor,
    download_imagenet,
    preprocess_input,
    weights_role,
)
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
        kind, name = weights_role(handle.target, original)
        shutil.copyfile(original, folder / name)
    else:
        kind, name = "imagenet", download_imagenet(handle.target, config.arguments, size, folder)
    application = Application(
        application=handle.target,
        arguments=config.arguments,
        weights=kind,
        file=name,
        feature_width=0,
    )
    model = build_model(application, size, folder, origin=config.weights or config.handle)
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
        input=ImageInput(height=size, width=size, input_range=INPUT_RANGE),
        feature_width=_read(folder).feature_width,
    )


def load(backbone: Backbone, dtype: str) -> BackboneModule:
    """Builds the model and fills in the vendored weights.

    Args:
        backbone: The record that vendoring gave.
        dtype: Of its arithmetic; weights and vectors are float32 all the same.

    Returns:
        The backbone in inference mode. Its layers are Keras's, those without
        weights left out.
    """
    folder = Path(backbone.path)
    application = _read(folder)
    assert isinstance(backbone.input, ImageInput)
    with computing_in(dtype):
        model = build_model(application, backbone.input.height, folder, origin=backbone.handle)
    preprocess = preprocess_input(application.application)

    def encode(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(model(preprocess(images), training=False), tf.float32)

    layers = [layer.trainable_variables for layer in model.layers if layer.trainable_variables]
    return BackboneModule(encode, model, model.variables, backbone, layers=layers)


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


def _check_arguments(config: BackboneConfig, handle: Handle) -> None:
    """Refuses arguments that the constructor lacks or that we set ourselves."""
    parameters = inspect.signature(constructor(handle.target)).parameters
    valid = sorted(set(parameters) - _NOT_FOR_USERS)
    for name in config.arguments:
        if name not in valid:
            what = f"tf_keras.applications.{handle.target} has no argument for users of this name."
            raise BackboneError(explain(what, name, valid or ("none",)))
