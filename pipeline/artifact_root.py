"""Where the artifacts of runs on this machine lie; imports no TensorFlow."""

import hashlib
import os
import secrets
from pathlib import Path

from pipeline.config import Config


def pipeline_root(config: Config) -> str:
    """Says where artifacts lie: each database has a folder, for its numbers name theirs.

    Args:
        config: The checked config.

    Returns:
        A folder or an address.
    """
    metadata = config.metadata
    if metadata.kind != "sqlite":
        server = metadata.model_dump_json(include={"kind", "host", "port", "database"})
        suffix = f"-{hashlib.sha256(server.encode()).hexdigest()[:8]}"
    elif config.workdir != str(config.local_folder):
        suffix = f"-{_name_of(config.local_folder)}"
    else:
        suffix = ""
    return os.path.join(config.workdir, f"artifacts{suffix}")


def _name_of(folder: Path) -> str:
    """What tells the SQLite of a folder from others, of other machines, that share a `workdir`."""
    path = folder / "metadata.id"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(4), encoding="utf-8")
    return path.read_text(encoding="utf-8")
