"""Changes single values of a config from the command line: `--set train.epochs=5`."""

import copy
from collections.abc import Sequence

from pipeline.yaml_source import Document, Path, read_yaml
from preprocessing.errors import ConfigError, explain


def apply_overrides(document: Document, overrides: Sequence[str]) -> Document:
    """Sets the value of each `key.path=value`, which is read as YAML.

    Mappings on the way that do not exist yet are made, and whether a key
    exists at all is left to the config's own check. Later ones win.

    Args:
        document: The config as read from its file; it is not changed.
        overrides: Such as ["train.epochs=5", "evaluate.slices=[[source]]"].

    Returns:
        The changed data; changed paths have the override as their place.

    Raises:
        ConfigError: There is no `=`, an empty key, a value that is no YAML, or
            a key below something that is not a mapping.
    """
    data, places = copy.deepcopy(document.data), dict(document.places)
    for override in overrides:
        keys, equals, text = override.partition("=")
        path: Path = tuple(key.strip() for key in keys.split("."))
        if not equals or not all(path):
            what = "--set takes a key and a value, such as train.epochs=5"
            raise ConfigError(explain(what, override))
        place = f"--set {override}"
        value = read_yaml(text, place).data
        if isinstance(value, str):
            value = value.strip()
        at = data
        for depth, key in enumerate(path[:-1]):
            below = at.setdefault(key, {})
            if below is None:
                below = at[key] = {}
            elif isinstance(below, str) and key == "backbone":
                # The short form of a backbone is its handle.
                below = at[key] = {"handle": below}
            if not isinstance(below, dict):
                above = ".".join(str(part) for part in path[: depth + 1])
                raise ConfigError(
                    explain(f"{place}: {above} is not a mapping, so nothing is below it", below)
                )
            at = below
        at[path[-1]] = value
        for known in [known for known in places if known[: len(path)] == path]:
            del places[known]
        places[path] = place
    return Document(data, places)
