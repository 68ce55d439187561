"""hf: vision models: the processor's last steps, the model and its pooled output as one.

The vector is the model's pooled output; where the weights have none, the class
token of those that have one, or the mean over all places.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

from preprocessing.config import BackboneConfig, Record
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import ImageInput
from trainer.backbones.hf_files import PROCESSOR
from trainer.backbones.hf_model import layers_of, load_model, load_part
from trainer.backbones.hf_processor import (
    Processor,
    Steps,
    finish_pictures,
    plan_input,
    plan_steps,
    read_processor,
)
from trainer.backbones.module import BackboneModule
from trainer.backbones.record import Backbone, Interface

# Model types without a table of places; all others take pictures of one size.
ANY_SIZE = ("convnext", "convnextv2", "cvt", "mobilevit", "regnet", "resnet", "segformer")

# Model types whose first token stands for the whole picture.
CLASS_TOKEN = ("deit", "vit")

# Model types whose code branches on tensors, which only autograph can trace.
BRANCHING = ("mobilevit", "swin")


class ImageFacts(Record):
    """What staging found out by running a vision model.

    Attributes:
        width: Of its vector.
        pooled: Where the vector is taken from.
        only: Height and width that it takes; None if any.
        processor: How its pictures are made.
    """

    modality: str = "image"
    width: int
    pooled: Literal["pooler", "cls", "mean"]
    only: tuple[int, int] | None
    processor: Processor


def inspect(model: Any, missing: list[str], folder: Path, origin: str) -> ImageFacts:
    """Tries a vision model on a black picture.

    Args:
        model: What transformers has loaded.
        missing: Variables that its weights lack.
        folder: Its files.
        origin: How the user knows it, for messages.

    Returns:
        What `describe` needs.

    Raises:
        BackboneError: If its processor is missing or not supported, or it
            cannot be run on the pictures that its processor makes.
    """
    if not (folder / PROCESSOR).is_file():
        what = f"The model has no {PROCESSOR}, which says how its pictures have to be."
        raise BackboneError(explain(what, origin))
    processor = read_processor(load_part("AutoImageProcessor", folder, origin), origin)
    wanted = plan_input(processor, None)
    steps = plan_steps(processor, wanted)
    only = None if model.config.model_type in ANY_SIZE else _sides(model.config.image_size)
    if only not in (None, steps.crop):
        what = f"The processor makes {_by(steps.crop)} pictures, the model takes {_by(only)} ones."
        raise BackboneError(explain(what, origin))
    spec = tf.TensorSpec([None, wanted.height, wanted.width, 3], tf.float32)
    call = _traceable(model)
    run = tf.function(lambda one: _run(call, one, steps), input_signature=[spec], autograph=False)
    try:
        outputs = run(tf.zeros([1, *spec.shape[1:]]))
    except Exception as error:  # Whatever a model that needs more than pictures makes of them.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BackboneError(
            explain(f"The model cannot be run on pictures alone: {reason}", origin)
        ) from error
    pooled: Literal["pooler", "cls", "mean"] = "mean"
    if not missing and outputs.get("pooler_output") is not None:
        pooled = "pooler"
    elif model.config.model_type in CLASS_TOKEN:
        pooled = "cls"
    width = int(_vector(outputs, pooled).shape[1])
    return ImageFacts(width=width, pooled=pooled, only=only, processor=processor)


def describe(config: BackboneConfig, facts: ImageFacts) -> Interface:
    """Settles the size between the model and the config.

    Args:
        config: The backbone as the user wrote it.
        facts: What staging found out.

    Returns:
        Its interface.

    Raises:
        BackboneError: If the model takes no pictures of the size that the
            config gives.
    """
    side = config.size
    if side is not None and facts.only not in (None, (side, side)):
        what = f"The model takes {_by(facts.only)} pictures only: leave `size` out."
        raise BackboneError(explain(what, side))
    return Interface(input=plan_input(facts.processor, side), feature_width=facts.width)


def load(backbone: Backbone, facts: ImageFacts, dtype: str) -> BackboneModule:
    """Loads a vendored vision model.

    Args:
        backbone: The record that vendoring gave.
        facts: What staging found out.
        dtype: Of its arithmetic.

    Returns:
        The backbone in inference mode.
    """
    wanted = backbone.input
    assert isinstance(wanted, ImageInput)
    steps = plan_steps(facts.processor, wanted)
    model, _ = load_model(Path(backbone.path), dtype, backbone.handle)
    return BackboneModule(
        _encoder(_traceable(model), steps, facts.pooled),
        model,
        model.variables,
        backbone,
        layers=layers_of(model, pooler=facts.pooled == "pooler"),
    )


def _encoder(
    model: Any, steps: Steps, pooled: Literal["pooler", "cls", "mean"]
) -> Callable[[tf.Tensor], tf.Tensor]:
    """From pictures to vectors, `[batch, width]` float32."""

    def encode(pictures: tf.Tensor) -> tf.Tensor:
        batch = tf.shape(pictures)[0]
        # Reshapes inside the models fail on no picture at all, so a black one joins it.
        rows = [[0, tf.cast(batch == 0, tf.int32)], [0, 0], [0, 0], [0, 0]]
        outputs = _run(model, tf.pad(pictures, rows), steps)
        return tf.cast(_vector(outputs, pooled), tf.float32)[:batch]

    return encode


def _traceable(model: Any) -> Any:
    return tf.function(model) if model.config.model_type in BRANCHING else model


def _run(model: Any, pictures: tf.Tensor, steps: Steps) -> Any:
    return model(pixel_values=finish_pictures(pictures, steps), training=False)


def _vector(outputs: Any, pooled: Literal["pooler", "cls", "mean"]) -> tf.Tensor:
    """Takes the vector out of a model's outputs, `[batch, width]`.

    Convolutional models give channels first: `[batch, width, rows, columns]`.
    """
    if pooled == "pooler":
        output = outputs["pooler_output"]
        return output if output.shape.rank == 2 else tf.reduce_mean(output, axis=[2, 3])
    output = outputs["last_hidden_state"]
    if output.shape.rank == 4:
        return tf.reduce_mean(output, axis=[2, 3])
    return output[:, 0] if pooled == "cls" else tf.reduce_mean(output, axis=1)


def _sides(size: Any) -> tuple[int, int]:
    """Height and width of a config's image_size."""
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def _by(sides: tuple[int, int] | None) -> str:
    return f"{sides[0]} x {sides[1]}" if sides else ""
