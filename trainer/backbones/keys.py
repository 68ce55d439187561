"""Which keys of a backbone belong to which kind of handle and of feature.

A new key of `BackboneConfig` that is not for all of them is one line here.
"""

from typing import NamedTuple

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from trainer.backbones.record import Modality

HUB, KERAS, HF = "hub", "keras", "hf"
BOTH: tuple[Modality, ...] = ("image", "text")


class Key(NamedTuple):
    """Where a key means something.

    Attributes:
        kinds: Kinds of handles.
        modalities: Kinds of features.
    """

    kinds: tuple[str, ...]
    modalities: tuple[Modality, ...]


KEYS: dict[str, Key] = {
    "weights": Key((KERAS,), BOTH),
    "arguments": Key((KERAS,), BOTH),
    "size": Key((HUB, KERAS, HF), ("image",)),
    "preprocessor": Key((HUB,), ("text",)),
    "sequence_length": Key((HUB, HF), ("text",)),
    "pooling": Key((HUB, HF), ("text",)),
    "use_logits": Key((HUB,), BOTH),
}

_OF_ENCODERS = ("sequence_length", "pooling")

# Why a key stops where it does, where that is not plain.
_REASONS = {
    ("weights", HUB): "a hub: module brings its own",
    ("use_logits", KERAS): "keras: models come without their classifier",
    ("use_logits", HF): "hf: models come without their classifier",
}


def check_keys(config: BackboneConfig, kind: str, modality: Modality | None) -> None:
    """Refuses keys that a handle or a feature has no use for.

    Args:
        config: The backbone as the user wrote it.
        kind: Kind of its handle.
        modality: What the feature holds; None if that is not known.

    Raises:
        BackboneError: If a key is given that means nothing here.
    """
    for name, key in KEYS.items():
        value = getattr(config, name)
        if value == BackboneConfig.model_fields[name].get_default(call_default_factory=True):
            continue
        if kind not in key.kinds:
            belongs = " and ".join(f"{one}:" for one in key.kinds)
            reason = _REASONS.get((name, kind), f"a {kind}: handle has no use for it")
            what = f"`{name}` belongs to {belongs} handles; {reason}."
            raise BackboneError(explain(what, value))
        if modality and modality not in key.modalities:
            belongs = " and ".join(f"{one}s" for one in key.modalities)
            what = f"`{name}` belongs to the backbones of {belongs}; this feature is of kind"
            raise BackboneError(explain(f"{what} {modality}.", value))
        if kind == HUB:
            _check_pair(config, name, value)


def _check_pair(config: BackboneConfig, name: str, value: object) -> None:
    """Refuses keys of text encoders without a preprocessor, and the reverse."""
    if name in _OF_ENCODERS and config.preprocessor is None:
        what = "text encoders; a hub: module without a `preprocessor` takes whole strings."
    elif name == "use_logits" and config.preprocessor is not None:
        what = "classifiers; a text encoder with a `preprocessor` gives vectors."
    else:
        return
    raise BackboneError(explain(f"`{name}` belongs to {what}", value))
