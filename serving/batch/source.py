"""Whether a model can take an input, and which columns it needs of it."""

from collections.abc import Sequence

from components.example_gen.config import ImageFolderSource, Source, TfRecordSource
from components.example_gen.slices import columns_of_records
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.tfrecord import find_files
from preprocessing.errors import UsageError, explain
from preprocessing.model_info import ModelInfo


def columns_of(source: Source, info: ModelInfo, keep: Sequence[str]) -> Columns:
    """Says which columns the model needs of a source.

    Args:
        source: What `find_source` found.
        info: What the model takes.
        keep: Columns that the user wants beside the predictions.

    Returns:
        The columns; labels are taken along where there are some.

    Raises:
        UsageError: If the source cannot have them.
    """
    columns = Columns.of(info.features, info.label, keep).model_copy(update={"labelled": False})
    if isinstance(source, ImageFolderSource):
        kinds = {name: feature.kind for name, feature in info.features.items()}
        if list(kinds.values()) != ["image"]:
            what = (
                "The model takes something else than one picture, so it needs a table or TFRecords"
            )
            raise UsageError(explain(what, kinds))
        if keep:
            raise UsageError(explain("A folder of pictures has no columns to keep", keep[0]))
    elif isinstance(source, TfRecordSource):
        return _columns_in_records(find_files(source)[None], columns)
    return columns


def _columns_in_records(files: Sequence[str], columns: Columns) -> Columns:
    """Takes the user's names of the columns or, in examples of ours, those of the features."""
    found = columns_of_records(files)
    features = columns.features
    if not all(one.column in found for one in features.values()) and set(features) <= set(found):
        features = {name: one.model_copy(update={"column": name}) for name, one in features.items()}
        columns = columns.model_copy(update={"features": features})
    needed = [one.column for one in features.values() if one.missing == "reject"]
    for name in [*needed, *columns.carry]:
        # A first record that is no tf.Example says nothing of the others.
        if found and name not in found:
            raise UsageError(explain(f"{files[0]}: the records have no such column.", name, found))
    return columns
