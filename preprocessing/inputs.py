"""What a backbone takes, as data that travels with it; imports no TensorFlow."""

from typing import Literal

from preprocessing.config import Record


class ImageInput(Record):
    """Size in pixels and value range of the pictures that a backbone takes.

    Attributes:
        height: Rows.
        width: Columns.
        input_range: Values of black and white, such as (0, 1) or (0, 255), RGB.
        resample: How pixels are interpolated; shrinking averages (antialias).
        shortest_edge: The picture is resized until its shorter side has this
            many pixels, then its centre is cut out; None stretches the whole
            picture to `height` and `width`.
    """

    modality: Literal["image"] = "image"
    height: int
    width: int
    input_range: tuple[float, float]
    resample: Literal["bilinear", "bicubic", "lanczos3", "nearest"] = "bilinear"
    shortest_edge: int | None = None


class TextInput(Record):
    """How much of a text a backbone looks at.

    Attributes:
        sequence_length: Tokens at most, special ones included; None where the
            module takes whole strings.
    """

    modality: Literal["text"] = "text"
    sequence_length: int | None = None
