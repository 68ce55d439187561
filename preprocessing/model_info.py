"""What an exported model takes and gives, said beside it.

The Trainer writes `assets.extra/model.json`, where TF Serving looks for
nothing; whoever handles a model after training reads it.
"""

import posixpath

import tensorflow as tf
from pydantic import ValidationError

from preprocessing.config import Feature, LabelConfig, Record, TextFeature
from preprocessing.errors import DataError, explain
from preprocessing.inputs import ImageInput

_FILE = "assets.extra/model.json"


class ModelInfo(Record):
    """An exported model's inputs and outputs.

    Attributes:
        features: As the user wrote them, by name; the signatures take a column
            of each.
        images: What each picture is made into before its backbone.
        label: As the user wrote it.
        classes: Class names in the order of the probabilities; none for numbers.
        temperature: What the logits are divided by, inside the model.
    """

    features: dict[str, Feature]
    images: dict[str, ImageInput]
    label: LabelConfig
    classes: tuple[str, ...]
    temperature: float = 1.0

    @property
    def has_texts(self) -> bool:
        """Whether it may only be loaded where tensorflow_text was imported."""
        return any(isinstance(one, TextFeature) for one in self.features.values())


def write_model_info(info: ModelInfo, model: str) -> None:
    """Writes it beside an exported model.

    Args:
        info: What to say.
        model: Folder of the SavedModel, local or an address such as gs://.
    """
    path = posixpath.join(model, _FILE)
    tf.io.gfile.makedirs(posixpath.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(info.model_dump_json(indent=2) + "\n")


def read_model_info(model: str) -> ModelInfo:
    """Reads what `write_model_info` wrote.

    Args:
        model: Folder of the SavedModel.

    Raises:
        DataError: If there is none, or it cannot be understood.
    """
    path = posixpath.join(model, _FILE)
    try:
        with tf.io.gfile.GFile(path) as file:
            return ModelInfo.model_validate_json(file.read())
    except tf.errors.NotFoundError:
        what = f"The model was not exported by Graft: it has no {_FILE}"
        raise DataError(explain(what, model)) from None
    except (tf.errors.OpError, ValidationError) as error:
        raise DataError(explain(f"{_FILE} cannot be read: {error}", model)) from None
