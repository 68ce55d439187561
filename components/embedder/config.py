"""Where feature vectors are kept between runs, as the user writes it."""

from pathlib import Path

from pydantic import Field

from components.embedder.store.files import files_at
from preprocessing.config import Record

# In a working folder: where its runs find their store, for who embeds to read.
SETTINGS_FILE = "features.json"


class CacheConfig(Record):
    """What is kept for later runs beside the artifacts: feature vectors, and spans of the data."""

    features: str | None = Field(
        None,
        min_length=1,
        description="folder, or address such as gs://bucket/features, of the feature store; "
        "several configs may share one. null means features/ in workdir",
    )
    max_gb: float = Field(
        10.0,
        ge=0,
        allow_inf_nan=False,
        description="what the feature store may hold, in GB (10^9 bytes); the vectors that were "
        "not used for longest are deleted. 0 keeps none",
    )
    spans: str | None = Field(
        None,
        min_length=1,
        description="folder or address where the spans of data.spans are kept once they were "
        "read; null means spans/ in workdir",
    )


class StoreSettings(Record):
    """Where the vectors of a run are kept.

    They cross TFX as the path of a file that holds them, so that another limit
    or another place is no reason to embed anything anew.

    Attributes:
        path: Folder or address; empty keeps nothing.
        max_bytes: What it may hold.
    """

    path: str = ""
    max_bytes: float = 0.0


def write_settings(settings: StoreSettings, workdir: Path) -> Path:
    """Writes the settings into a working folder, whole or not at all.

    Args:
        settings: What to write.
        workdir: The folder; made if absent.

    Returns:
        The file.
    """
    path = workdir / SETTINGS_FILE
    workdir.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(path.name + ".part")
    staged.write_text(settings.model_dump_json() + "\n", encoding="utf-8")
    staged.replace(path)
    return path


def read_settings(path: str) -> StoreSettings:
    """Reads what `write_settings` wrote.

    Args:
        path: The file, or where tasks do not see this machine's files the settings
            themselves as JSON; empty for no store.

    Returns:
        The settings; those that keep nothing where there is no such file.
    """
    if not path:
        return StoreSettings()
    if path.startswith("{"):
        return StoreSettings.model_validate_json(path)
    try:
        return StoreSettings.model_validate_json(files_at(path).read(path, 0, 2**16))
    except FileNotFoundError:
        return StoreSettings()
