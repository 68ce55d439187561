"""Brings the files of a model of the HuggingFace hub, whole or not at all.

With huggingface_hub, which heeds HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE; its
own cache is left alone, because the store keeps what is vendored.
"""

import os
from pathlib import Path
from typing import Any

from preprocessing.errors import BackboneError, explain
from preprocessing.progress import report
from trainer.backbones.download import MAX_BYTES, offline_advice
from trainer.backbones.hf_files import choose_files
from trainer.backbones.store import file_digest


def fetch(model_id: str, revision: str | None, folder: Path, absent: str) -> None:
    """Downloads what a model needs.

    Args:
        model_id: Such as `org/model`.
        revision: Branch, tag or commit; None means the main branch.
        folder: Where the files go; empty.
        absent: A folder that the id could have meant and that does not exist.

    Raises:
        BackboneError: If the hub cannot be reached, refuses, knows no such
            model, or what comes is not what it announced.
    """
    import huggingface_hub
    import requests
    from huggingface_hub import errors

    origin = f"hf:{model_id}" + (f"@{revision}" if revision else "")
    refused = {
        errors.GatedRepoError: "it wants a licence to be accepted, and HF_TOKEN",
        errors.RevisionNotFoundError: "it knows no such revision",
        errors.RepositoryNotFoundError: "it knows no such model, or only with another HF_TOKEN; "
        f"there is no folder {absent} either",
    }
    try:
        _fetch(huggingface_hub, model_id, revision, folder, origin)
    except tuple(refused) as error:
        reason = next(text for kind, text in refused.items() if isinstance(error, kind))
        raise BackboneError(
            explain(f"The hub refuses: {reason}.", origin, see=offline_advice("hf"))
        ) from error
    except (errors.HfHubHTTPError, requests.RequestException, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        what = f"The model cannot be fetched, nor is there a folder {absent}: {reason}"
        raise BackboneError(explain(what, origin, see=offline_advice("hf"))) from error


def _fetch(hub: Any, model_id: str, revision: str | None, folder: Path, origin: str) -> None:
    """Asks what there is, takes what is needed, compares it."""
    endpoint = os.environ.get("HF_ENDPOINT") or None
    api = hub.HfApi(endpoint=endpoint)
    info = api.model_info(model_id, revision=revision, files_metadata=True)
    files = {one.rfilename: one for one in info.siblings or ()}
    chosen = choose_files(files, origin)
    sizes = {name: files[name].size or 0 for name in chosen}
    if sum(sizes.values()) > MAX_BYTES:
        raise BackboneError(explain(f"The model is larger than {MAX_BYTES} bytes.", origin))
    done = 0
    with _quiet(hub):
        for name in chosen:
            api.hf_hub_download(model_id, name, revision=info.sha, local_dir=folder)
            _compare(folder / name, files[name], origin)
            done += sizes[name]
            report("Backbone", done, sum(sizes.values()), "bytes")


def _compare(path: Path, announced: Any, origin: str) -> None:
    """Compares a file with the size and digest that the hub announced."""
    lfs = announced.lfs
    wrong = announced.size is not None and path.stat().st_size != announced.size
    if wrong or (lfs and file_digest(path) != lfs.sha256):
        what = f"{announced.rfilename} is not what the hub announced; run again."
        raise BackboneError(explain(what, origin))


class _quiet:  # noqa: N801 - a context manager, used like a function
    """Keeps huggingface_hub's progress bars off the terminal."""

    def __init__(self, hub: Any) -> None:
        self._utils = hub.utils

    def __enter__(self) -> None:
        self._before = self._utils.are_progress_bars_disabled()
        self._utils.disable_progress_bars()

    def __exit__(self, *_: object) -> None:
        if not self._before:
            self._utils.enable_progress_bars()
