"""What is known about a vendored backbone; imports no TensorFlow.

The record crosses component boundaries as JSON and is part of the cache keys,
so everything that the features depend on is in it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from preprocessing.config import Record
from preprocessing.inputs import ImageInput, TextInput

Modality = Literal["image", "text"]
Pooling = Literal["mean", "cls", "max", "pooler"]


class Interface(Record):
    """What goes into a backbone and what comes out.

    Attributes:
        input: Pictures or texts, and how they have to be.
        feature_width: Length of the feature vector.
        pooling: Texts: how token vectors become one; None where the module
            gives one vector itself.
    """

    input: Annotated[ImageInput | TextInput, Field(discriminator="modality")]
    feature_width: int
    pooling: Pooling | None = None

    @property
    def modality(self) -> Modality:
        """What is embedded."""
        return self.input.modality


class Backbone(Interface):
    """A pretrained model that lies in the store, ready to be loaded offline.

    Attributes:
        handle: The handle as the config gives it.
        kind: Which loader understands the content.
        digest: `sha256:` and 64 hex digits over the vendored content.
        path: Folder of the vendored content.
        arguments: Constructor arguments, for kinds that build a model.
    """

    handle: str
    kind: str
    digest: str
    path: str
    arguments: dict[str, Any] = {}
