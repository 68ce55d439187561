"""Which reader understands which source; a new source is one row here."""

from collections.abc import Callable, Mapping

from components.example_gen.config import DataConfig
from components.example_gen.rows import Table
from components.example_gen.sources import csv, image_folder
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.refusals import explained
from preprocessing.errors import ConfigError, explain

READERS: Mapping[str, Callable[..., Table]] = {
    "image_folder": image_folder.read,
    "csv": csv.read,
}


def read_table(config: DataConfig, columns: Columns) -> Table:
    """Lists every example of the configured source; opens no picture.

    Args:
        config: Source and splits.
        columns: The features, the label and what is carried along.

    Returns:
        The rows, what is set aside at once, and notes.

    Raises:
        ConfigError: If no reader understands the source.
        DataError: If the source is absent, empty or malformed.
    """
    kind = config.source.kind
    if kind not in READERS:
        raise ConfigError(explain("data.source.kind: this source is not read here.", kind, READERS))
    with explained(config.source.path):
        return READERS[kind](config.source, columns)
