"""Brings a backbone into the store, by digest, before a run starts.

The first run copies, checks and digests; later runs read the store's copy,
compare it with its digest and touch neither the network nor the source's
unpacking. What is copied is what the config names and nothing else.
"""

from pathlib import Path

from absl import logging

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from trainer.backbones.handles import Handle, parse_handle
from trainer.backbones.kinds import KINDS
from trainer.backbones.record import Backbone, Interface, Modality
from trainer.backbones.store import (
    content_digest,
    entry,
    files_below,
    is_intact,
    publish,
    recall,
    remember,
    staging,
)


def vendor(
    config: BackboneConfig, store: Path, base: Path, modality: Modality | None = None
) -> Backbone:
    """Makes sure that a backbone lies in the store, whole and as pinned.

    Several processes may do this at once. A remote handle without a `digest:`
    stays what it was at its first use until the store is deleted.

    Args:
        config: The backbone as the user wrote it.
        store: Folder of the store; made if absent.
        base: Folder that relative paths start from: the config file's.
        modality: What the feature holds; None takes what the backbone takes.

    Returns:
        What is known about it, with an absolute path.

    Raises:
        BackboneError: If the handle is wrong, the content cannot be had, is no
            usable backbone or none for such a feature, or is not the pinned one.
    """
    handle = parse_handle(config, modality, base)
    store = store.absolute()
    digest = _ensure(config, handle, store, base)
    path = entry(store, digest)
    interface = _describe(config, handle, path)
    return Backbone(
        **dict(interface),
        handle=config.handle,
        kind=handle.kind,
        digest=digest,
        path=str(path),
        arguments=config.arguments,
    )


def _ensure(config: BackboneConfig, handle: Handle, store: Path, base: Path) -> str:
    """Finds the content in the store or brings it there; gives its digest."""
    source = KINDS[handle.kind].source(config, handle, base)
    known = recall(store, source)
    remote = handle.form in ("url", "gcs", "id")
    if remote and config.digest and is_intact(store, config.digest):
        known = config.digest  # A pin is all that it takes, also in a store brought from elsewhere.
    damage = ""
    if known:
        _check_pin(config, known)
        if is_intact(store, known):
            remember(store, source, known)
            return known
        if entry(store, known).exists():
            damage = f"The store's copy is damaged and has to be made anew: {entry(store, known)}"
            logging.warning("%s", damage)
    try:
        digest = _bring(config, handle, store, base)
    except BackboneError as error:
        if damage:
            raise BackboneError(f"{damage}\n{error}") from error
        raise
    if known and digest != known:
        logging.warning("%s changed: it was %s, and is now %s", config.handle, known, digest)
    remember(store, source, digest)
    return digest


def _bring(config: BackboneConfig, handle: Handle, store: Path, base: Path) -> str:
    """Stages, checks and publishes the content; nothing unpinned gets in."""
    with staging(store) as folder:
        staged = folder / "content"
        staged.mkdir()
        KINDS[handle.kind].stage(config, handle, base, staged)
        _describe(config, handle, staged)
        digest = content_digest(files_below(staged))
        _check_pin(config, digest)
        publish(store, staged, digest)
    return digest


def _describe(config: BackboneConfig, handle: Handle, folder: Path) -> Interface:
    """Reads the interface, which has to fit the feature."""
    interface = KINDS[handle.kind].describe(config, handle, folder)
    if handle.modality not in (None, interface.modality):
        what = f"The backbone takes {interface.modality}s; this feature is of kind"
        raise BackboneError(explain(f"{what} {handle.modality}.", config.handle))
    return interface


def _check_pin(config: BackboneConfig, digest: str) -> None:
    """Compares content with the digest that the config pins, if any."""
    if config.digest and config.digest != digest:
        raise BackboneError(
            f"The content of {config.handle!r} is not the one that the config pins.\n"
            f"  Pinned: {config.digest}\n"
            f"  Found:  {digest}\n"
            "  If the new content is wanted, write its digest into the config."
        )
