"""What a HuggingFace image processor does, split between Transform and the backbone.

Transform decodes, resizes and scales, as `ImageInput` says. What stays for the
backbone's own graph is in `Steps`: a cut after a resize that bends the picture,
the order of channels, mean and standard deviation.
"""

from typing import Any, Literal

import tensorflow as tf

from preprocessing.config import Record
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import ImageInput

Resample = Literal["bilinear", "bicubic", "lanczos3", "nearest"]

# Numbers of PIL's filters.
_RESAMPLE: dict[int, Resample] = {0: "nearest", 1: "lanczos3", 2: "bilinear", 3: "bicubic"}

# From this side on, processors that cut out a share resize to it instead.
_WHOLE_FROM = 384


class Processor(Record):
    """The options of an image processor that we know, by its own names."""

    size: dict[str, int]
    crop_size: dict[str, int] | None = None
    crop_pct: float | None = None
    resample: int
    scale: float
    image_mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    image_std: tuple[float, ...] = (1.0, 1.0, 1.0)
    do_flip_channel_order: bool = False


class Steps(Record):
    """What a picture goes through inside the backbone.

    Attributes:
        crop: Height and width of the centre that is kept.
        flip: Whether red and blue change places.
        mean: Of each channel, subtracted.
        std: Of each channel, divided by.
    """

    crop: tuple[int, int]
    flip: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]


def read_processor(found: Any, origin: str) -> Processor:
    """Reads what transformers has made of a preprocessor_config.json.

    Args:
        found: An image processor.
        origin: How the user knows the model, for messages.

    Returns:
        Its options, with the defaults of its class.

    Raises:
        BackboneError: If it does not resize to one fixed size, or in a way that
            the graph has no counterpart of.
    """

    def option(name: str) -> Any:
        return getattr(found, name, None)

    name = type(found).__name__
    size = {key: int(side) for key, side in dict(option("size") or {}).items()}
    crop = dict(option("crop_size") or {}) if option("do_center_crop") else None
    fixed = {"height", "width"} <= set(size)
    if not option("do_resize") or not (
        fixed or ("shortest_edge" in size and (crop or option("crop_pct")))
    ):
        what = f"{name} does not bring pictures to one fixed size, but to {size or 'none'}."
        raise BackboneError(explain(what, origin))
    if option("resample") not in _RESAMPLE:
        what = f"{name} resizes with PIL's filter {option('resample')}."
        raise BackboneError(explain(what, origin, (f"{k} {v}" for k, v in _RESAMPLE.items())))
    normalised = option("do_normalize")
    return Processor(
        size=size,
        crop_size=crop,
        crop_pct=None if fixed else option("crop_pct"),
        resample=int(option("resample")),
        scale=option("rescale_factor") if option("do_rescale") else 1.0,
        image_mean=_channels(found.image_mean) if normalised else (0.0,) * 3,
        image_std=_channels(found.image_std) if normalised else (1.0,) * 3,
        do_flip_channel_order=bool(option("do_flip_channel_order")),
    )


def plan_input(processor: Processor, side: int | None) -> ImageInput:
    """Says what Transform does.

    Args:
        processor: The model's own processor.
        side: What the model gets instead of its size, in pixels; everything
            else keeps its proportion to it.

    Returns:
        How pictures come to the backbone.
    """
    size, crop, edge = processor.size, processor.crop_size, processor.size.get("shortest_edge")
    if processor.crop_pct and edge:
        whole = side or edge
        edge = int(whole / processor.crop_pct) if whole < _WHOLE_FROM else None
        height = width = whole
    else:
        target = crop or size
        height, width = side or target["height"], side or target["width"]
        if edge:
            edge = round(edge * height / target["height"])
        else:
            height = round(size["height"] * height / target["height"])
            width = round(size["width"] * width / target["width"])
    return ImageInput(
        height=height,
        width=width,
        input_range=(0.0, 255.0 * processor.scale),
        resample=_RESAMPLE[processor.resample],
        shortest_edge=edge,
    )


def plan_steps(processor: Processor, wanted: ImageInput) -> Steps:
    """Says what is left for the backbone.

    Args:
        processor: The model's own processor.
        wanted: What `plan_input` made of it.

    Returns:
        The steps.
    """
    crop, size = processor.crop_size, processor.size
    height, width = wanted.height, wanted.width
    if crop and "height" in size:
        height = round(height * crop["height"] / size["height"])
        width = round(width * crop["width"] / size["width"])
    return Steps(
        crop=(height, width),
        flip=processor.do_flip_channel_order,
        mean=processor.image_mean,
        std=processor.image_std,
    )


def finish_pictures(pictures: tf.Tensor, steps: Steps) -> tf.Tensor:
    """Takes the last steps of a processor.

    Args:
        pictures: `[batch, height, width, 3]` float32, as `plan_input` says.
        steps: What is left to do.

    Returns:
        `[batch, 3, height, width]` float32, cut to `steps.crop`.
    """
    height, width = steps.crop
    top, left = (pictures.shape[1] - height) // 2, (pictures.shape[2] - width) // 2
    cut = pictures[:, top : top + height, left : left + width]
    ordered = cut[..., ::-1] if steps.flip else cut
    normalised = (ordered - tf.constant(steps.mean)) / tf.constant(steps.std)
    return tf.transpose(normalised, [0, 3, 1, 2])


def _channels(values: Any) -> tuple[float, ...]:
    """One value for each channel, also where one stands for all."""
    return tuple(values) if isinstance(values, list | tuple) else (float(values),) * 3
