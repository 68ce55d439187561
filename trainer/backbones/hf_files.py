"""Which files of a HuggingFace model are taken, and what is read of them.

Data only: weights as safetensors or HDF5, JSON, a vocabulary. Never a pickle,
and never code that a repository brings.
"""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from preprocessing.errors import BackboneError, explain

CONFIG = "config.json"
PROCESSOR = "preprocessor_config.json"
MODULES = "modules.json"
CARD = "sentence_bert_config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
VOCABULARY = "vocab.txt"

# In the order in which they are preferred.
WEIGHTS = ("model.safetensors", "tf_model.h5")

_BESIDE = (
    CONFIG,
    PROCESSOR,
    MODULES,
    CARD,
    TOKENIZER,
    TOKENIZER_CONFIG,
    VOCABULARY,
    "special_tokens_map.json",
    "added_tokens.json",
    "LICENSE",
)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack")


def choose_files(names: Iterable[str], origin: str) -> list[str]:
    """Chooses what to take of a repository.

    Args:
        names: All its files, with forward slashes.
        origin: How the user knows it, for messages.

    Returns:
        Those that are needed, at most one form of the weights.

    Raises:
        BackboneError: If there is no config.json or no weights that are data.
    """
    there = set(names)
    if CONFIG not in there:
        found = ", ".join(sorted(there)[:20]) or "nothing"
        raise BackboneError(
            explain(f"This is no HuggingFace model: it has no {CONFIG}. It holds: {found}.", origin)
        )
    chosen = [name for name in _BESIDE if name in there]
    # Where sentence-transformers keeps how token vectors become one.
    chosen += sorted(name for name in there if name.endswith("_Pooling/config.json"))
    for whole in WEIGHTS:
        stem, _, suffix = whole.partition(".")
        index = f"{whole}.index.json"
        if whole in there:
            return [*chosen, whole]
        if index in there:
            shards = sorted(
                name
                for name in there
                if name.startswith(f"{stem}-") and name.endswith(f".{suffix}")
            )
            return [*chosen, index, *shards]
    pickles = sorted(name for name in there if PurePosixPath(name).suffix in _PICKLES)
    what = f"The model has no weights as {' or '.join(WEIGHTS)}"
    if pickles:
        what += f", only {', '.join(pickles)}, which may run code when read; convert them first"
    raise BackboneError(explain(f"{what}.", origin))


def read_json(folder: Path, name: str, origin: str) -> Any:
    """Reads a JSON file of a model.

    Args:
        folder: The model.
        name: Which file.
        origin: How the user knows the model.

    Returns:
        Its content; an empty dict if there is no such file.

    Raises:
        BackboneError: If it is no JSON.
    """
    path = folder / name
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BackboneError(explain(f"{name} is no JSON: {error}.", origin)) from error


def check_shards(folder: Path, origin: str) -> None:
    """Refuses weights of which a part is missing.

    Args:
        folder: The model.
        origin: How the user knows it.

    Raises:
        BackboneError: If the index names a file that is not there.
    """
    for whole in WEIGHTS:
        index = read_json(folder, f"{whole}.index.json", origin)
        named = set(index.get("weight_map", {}).values())
        missing = sorted(name for name in named if not (folder / name).is_file())
        if missing:
            raise BackboneError(
                explain(f"Parts of the weights are missing: {', '.join(missing)}.", origin)
            )
