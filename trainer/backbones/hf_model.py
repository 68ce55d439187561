"""Loads TensorFlow models of transformers from vendored files, quietly, offline."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from preprocessing.errors import BackboneError, explain
from trainer.backbones.hf_files import CONFIG, read_json
from trainer.backbones.keras_model import computing_in

_NUMBER = re.compile(r"[._]\d+$")


def check_architecture(folder: Path, origin: str) -> None:
    """Refuses models that transformers cannot build with TensorFlow by itself.

    Args:
        folder: The model.
        origin: How the user knows it.

    Raises:
        BackboneError: If the architecture is unknown, or its code is part of
            the repository.
    """
    from transformers.models.auto.modeling_tf_auto import TF_MODEL_MAPPING_NAMES as KNOWN

    config = read_json(folder, CONFIG, origin)
    kind = config.get("model_type")
    if kind in KNOWN:
        return
    what = "transformers has no TensorFlow model of this model_type."
    if "auto_map" in config:
        what = "The model brings its own code (auto_map in config.json), which is never run."
    raise BackboneError(explain(f"{what} Model: {origin}.", kind, sorted(KNOWN)))


def load_model(folder: Path, dtype: str, origin: str) -> tuple[Any, list[str]]:
    """Builds a model and fills in its weights.

    Args:
        folder: The vendored files.
        dtype: Of its computing_in; its variables are float32.
        origin: How the user knows it.

    Returns:
        The model, and the names of the variables that the weights lack.

    Raises:
        BackboneError: If weights other than the pooler's are missing, or the
            files are damaged or do not fit.
    """
    import transformers

    try:
        with _quiet(), computing_in(dtype):
            model, report = transformers.TFAutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, output_loading_info=True
            )
    except Exception as error:  # Whatever safetensors, HDF5 or a model's code makes of the files.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BackboneError(
            explain(f"transformers cannot load the model: {reason}", origin)
        ) from error
    missing = list(report["missing_keys"])
    needed = sorted(name for name in missing if "pooler" not in name)
    if needed:
        listed = ", ".join(needed[:3]) + (" …" if len(needed) > 3 else "")
        raise BackboneError(
            explain(f"The weights lack {len(needed)} variables of the model: {listed}", origin)
        )
    return model, missing


def load_part(kind: str, folder: Path, origin: str) -> Any:
    """Loads what transformers makes of a model's other files.

    Args:
        kind: Name of the auto class, such as AutoTokenizer.
        folder: The vendored files.
        origin: How the user knows the model.

    Returns:
        The tokenizer or the image processor.

    Raises:
        BackboneError: If the files are missing or damaged.
    """
    import transformers

    try:
        with _quiet():
            return getattr(transformers, kind).from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_fast=kind == "AutoTokenizer",
            )
    except Exception as error:  # As above.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BackboneError(
            explain(f"transformers makes no {kind[4:]} of the model's files: {reason}", origin)
        ) from error


def layers_of(model: Any, pooler: bool) -> list[list[Any]]:
    """Groups a model's trainable variables.

    Args:
        model: The model.
        pooler: Whether its pooler is used; its variables are left out otherwise.

    Returns:
        First what comes before the blocks, such as embeddings, then one entry
        for each block; the last one has what follows the blocks too.
    """
    groups: dict[str, list[Any]] = {"": []}
    for variable in model.trainable_variables:
        if not pooler and "/pooler/" in variable.name:
            continue
        block = _block(variable.name)
        groups.setdefault(block or list(groups)[-1], []).append(variable)
    return [group for group in groups.values() if group]


def _block(name: str) -> str:
    """Names the block that a variable is part of; empty if it is outside all of them.

    A block is numbered, as in `encoder/layer_._3/`, or is a numbered part of a
    numbered stage, as in `encoder/stages.0/layers.1/`.
    """
    # The first part is the model's own name, which Keras may number too.
    parts = name.split("/")[1:-1]
    numbered = [bool(_NUMBER.search(part)) for part in parts]
    if True not in numbered:
        return ""
    first = numbered.index(True)
    block = parts[: first + 1]
    if numbered[first + 1 : first + 2] == [True]:
        inner = parts[first + 1]
        # What shrinks the picture between stages is one part, however many layers it has.
        block.append(inner if inner.startswith(("layer", "block")) else _NUMBER.sub("", inner))
    return "/".join(block)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers' advice off the terminal."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(before)
