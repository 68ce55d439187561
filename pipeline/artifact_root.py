"""Where the artifacts of runs on this machine lie; imports no TensorFlow.

Each database has a folder of its own, for its numbers name the artifacts: two would write
into each other's.
"""

import hashlib
import os
import secrets
from pathlib import Path

from pipeline.config import Config

_FOLDER = "artifacts"


def pipeline_root(config: Config) -> str:
    """Says where artifacts lie.

    Args:
        config: The checked config.

    Returns:
        A folder or an address.
    """
    return os.path.join(config.workdir, f"{_FOLDER}{_suffix(config)}")


def forget_lost_database(config: Config) -> None:
    """Where SQLite's file is gone, the next one has another folder: its numbers begin anew.

    TFX writes beside what it finds in the folder of a number.

    Args:
        config: The config of a run that has the working folder to itself.
    """
    if config.metadata.kind != "sqlite" or (config.local_folder / "metadata.sqlite").exists():
        return
    if _id_file(config).exists() or (config.local_folder / _FOLDER).exists():
        _write_id(config)


def _suffix(config: Config) -> str:
    metadata = config.metadata
    if metadata.kind != "sqlite":
        server = metadata.model_dump_json(include={"kind", "host", "port", "database"})
        return f"-{hashlib.sha256(server.encode()).hexdigest()[:8]}"
    path = _id_file(config)
    if not path.exists():
        if config.workdir == str(config.local_folder):
            return ""
        # Other machines, with a SQLite each, may share this `workdir`.
        _write_id(config)
    return f"-{path.read_text(encoding='utf-8')}"


def _id_file(config: Config) -> Path:
    return config.local_folder / "metadata.id"


def _write_id(config: Config) -> None:
    path = _id_file(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"{path.name}.part")
    staged.write_text(secrets.token_hex(4), encoding="utf-8")
    staged.replace(path)
