"""What is known about a vendored backbone; imports no TensorFlow.

The record crosses component boundaries as JSON and is part of the cache keys,
so everything that the features depend on is in it.
"""

from typing import Any, Literal

from preprocessing.config import Record


class Interface(Record):
    """What goes into a backbone and what comes out.

    Attributes:
        height: Rows of the input picture, in pixels.
        width: Columns of the input picture, in pixels.
        input_range: Values of black and white, such as (0, 1) or (0, 255), RGB.
        feature_width: Length of the feature vector.
    """

    height: int
    width: int
    input_range: tuple[float, float]
    feature_width: int


class Backbone(Interface):
    """A pretrained model that lies in the store, ready to be loaded offline.

    Attributes:
        handle: The handle as the config gives it.
        kind: Which loader understands the content.
        modality: What is embedded.
        digest: `sha256:` and 64 hex digits over the vendored content.
        path: Folder of the vendored content.
        arguments: Constructor arguments, for kinds that build a model.
    """

    handle: str
    kind: str
    modality: Literal["image"] = "image"
    digest: str
    path: str
    arguments: dict[str, Any] = {}
