"""How people call their splits, and paths given for each split."""

from collections.abc import Mapping

from components.example_gen.config import Paths

SPLIT_OF: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "eval",
    "valid": "eval",
    "validation": "eval",
    "eval": "eval",
    "evaluation": "eval",
    "dev": "eval",
    "test": "test",
    "testing": "test",
}


def split_of(name: str) -> str | None:
    """Returns train, eval or test for any common name of it, else None."""
    return SPLIT_OF.get(name.strip().lower())


def paths_of(paths: Paths) -> dict[str | None, str]:
    """Returns the path of each split; under None where one path holds all."""
    return {None: paths} if isinstance(paths, str) else {split: paths[split] for split in paths}
