"""hf: handles: models that transformers builds with TensorFlow, text or pictures.

hf_files.py says what is taken of a repository, hf_fetch.py brings it from the
hub; hf_text.py and hf_image.py make a backbone of it. Beside the model's own
files lies `facts.json`: what staging found out by running it once, so that no
later run has to load it to describe it.
"""

import json
import shutil
import tempfile
from pathlib import Path

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from trainer.backbones import hf_image, hf_text
from trainer.backbones.handles import Handle
from trainer.backbones.hf_fetch import fetch
from trainer.backbones.hf_files import check_shards, choose_files, read_json
from trainer.backbones.hf_image import ImageFacts
from trainer.backbones.hf_model import check_architecture, load_model
from trainer.backbones.hf_text import TextFacts
from trainer.backbones.module import BackboneModule
from trainer.backbones.record import Backbone, Interface
from trainer.backbones.store import content_digest, files_below

FACTS = "facts.json"


def source(config: BackboneConfig, handle: Handle, base: Path) -> str:
    """Names what the handle stands for; a folder by its digest.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        base: Folder that relative paths start from.

    Returns:
        A string that changes when the content may have changed.

    Raises:
        BackboneError: If a folder does not exist or holds no model.
    """
    if handle.form == "id":
        return f"hf {handle.target}"
    folder = _local(handle, base)
    files = choose_files(files_below(folder), str(folder))
    return f"hf {content_digest({name: folder / name for name in files})}"


def stage(config: BackboneConfig, handle: Handle, base: Path, folder: Path) -> None:
    """Puts the model, run once, into an empty folder.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        base: Folder that relative paths start from.
        folder: Where the content goes.

    Raises:
        BackboneError: If it cannot be had, loaded or run, or is neither a model
            of texts nor one of pictures.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        found = Path(scratch)
        if handle.form == "id":
            model_id, _, revision = handle.target.partition("@")
            fetch(model_id, revision or None, found, str(base / handle.target))
        else:
            found = _local(handle, base)
        for name in choose_files(files_below(found), handle.target):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found / name, folder / name)
    facts = _inspect(folder, config.handle)
    content = json.dumps(facts.model_dump(), sort_keys=True, indent=2)
    (folder / FACTS).write_text(content + "\n", encoding="utf-8")


def describe(config: BackboneConfig, handle: Handle, folder: Path) -> Interface:
    """Reads what the model's files say and staging found out.

    Args:
        config: The backbone as the user wrote it.
        handle: Its handle.
        folder: The vendored content.

    Returns:
        Its interface.

    Raises:
        BackboneError: If the config asks for what the model cannot do.
    """
    facts = read_json(folder, FACTS, config.handle)
    if facts["modality"] == "text":
        return hf_text.describe(config, folder, TextFacts.model_validate(facts))
    return hf_image.describe(config, ImageFacts.model_validate(facts))


def load(backbone: Backbone, dtype: str) -> BackboneModule:
    """Builds the model and fills in the vendored weights.

    Args:
        backbone: The record that vendoring gave.
        dtype: Of its arithmetic.

    Returns:
        The backbone in inference mode.
    """
    if backbone.modality == "text":
        return hf_text.load(backbone, dtype)
    facts = read_json(Path(backbone.path), FACTS, backbone.handle)
    return hf_image.load(backbone, ImageFacts.model_validate(facts), dtype)


def _inspect(folder: Path, origin: str) -> TextFacts | ImageFacts:
    """Loads a model and runs it once."""
    check_architecture(folder, origin)
    check_shards(folder, origin)
    model, missing = load_model(folder, "float32", origin)
    if model.main_input_name == "input_ids":
        return hf_text.inspect(model, missing, folder, origin)
    if model.main_input_name == "pixel_values":
        return hf_image.inspect(model, missing, folder, origin)
    what = f"The model takes neither texts nor pictures, but {model.main_input_name}."
    raise BackboneError(explain(what, origin))


def _local(handle: Handle, base: Path) -> Path:
    """Finds a folder."""
    path = base / Path(handle.target).expanduser()
    if not path.is_dir():
        raise BackboneError(
            explain(f"There is no such folder: {path}", handle.target, see=str(base))
        )
    return path
