"""Which backbone handles are understood; imports no TensorFlow.

A new kind is one file beside this one (see kinds.py for what it must offer),
its lines in `HANDLE_KINDS` and one line in kinds.py.
"""

import difflib
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from preprocessing.config import BackboneConfig, Record
from preprocessing.errors import BackboneError, explain
from trainer.backbones.applications import APPLICATIONS
from trainer.backbones.keys import check_keys
from trainer.backbones.record import Modality

SEE = "graft backbones"
SCHEMES = ("https", "http", "gs")
MODEL_ID = re.compile(r"[\w.-]+(/[\w.-]+)?(@[^@]+)?")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class HandleKind(Record):
    """One way to write a handle, as `graft backbones` shows it."""

    kind: str
    form: str
    meaning: str
    examples: tuple[str, ...]


HANDLE_KINDS: tuple[HandleKind, ...] = (
    HandleKind(
        kind="hub",
        form="hub:https://…",
        meaning="a TF2 SavedModel that turns pictures (pixels in [0, 1]) or strings into vectors, "
        "or a text encoder with its `preprocessor`, by its TF Hub or Kaggle URL, or a URL of its "
        ".tar.gz",
        examples=(
            "hub:https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5",
            "hub:https://www.kaggle.com/models/google/mobilenet-v2/TensorFlow2/035-224-feature-vector/2",
            "hub:https://tfhub.dev/google/universal-sentence-encoder/4",
        ),
    ),
    HandleKind(
        kind="hub",
        form="hub:gs://…",
        meaning="the same in a Google Cloud Storage folder or .tar.gz",
        examples=("hub:gs://my-bucket/backbones/mobilenet_v2.tar.gz",),
    ),
    HandleKind(
        kind="hub",
        form="hub:PATH",
        meaning="the same in a local folder, .tar, .tar.gz or .tgz; relative to the config file",
        examples=("hub:backbones/mobilenet_v2", "hub:backbones/mobilenet_v2.tar.gz"),
    ),
    HandleKind(
        kind="keras",
        form="keras:NAME",
        meaning="a model of tf_keras.applications without its top, averaged over the picture; "
        "weights: imagenet (downloaded once) or a weight file; pixels in [0, 255]",
        examples=("keras:MobileNetV2", "keras:EfficientNetB0"),
    ),
    HandleKind(
        kind="hf",
        form="hf:ORG/MODEL[@REVISION]",
        meaning="a model of the HuggingFace hub, of texts with a WordPiece tokenizer or of "
        "pictures, that transformers builds with TensorFlow; HF_ENDPOINT and HF_TOKEN are heeded",
        examples=(
            "hf:sentence-transformers/all-MiniLM-L6-v2",
            "hf:google-bert/bert-base-uncased@main",
            "hf:google/vit-base-patch16-224-in21k",
        ),
    ),
    HandleKind(
        kind="hf",
        form="hf:PATH",
        meaning="the same in a local folder, relative to the config file; a path that is no folder "
        "starts with . / or ~ or has more than one slash",
        examples=("hf:./backbones/minilm", "hf:backbones/text/minilm"),
    ),
)


class Handle(Record):
    """A handle taken apart.

    Attributes:
        kind: What stands before the first colon.
        form: How the target is found.
        target: What stands after the first colon.
        modality: What the feature holds; None if that is not known.
    """

    kind: Literal["hub", "keras", "hf"]
    form: Literal["url", "gcs", "path", "application", "id"]
    target: str
    modality: Modality | None = None


def parse_handle(
    config: BackboneConfig, modality: Modality | None = None, base: Path | None = None
) -> Handle:
    """Takes a handle apart and checks all that can be checked without loading.

    Args:
        config: The backbone as the user wrote it.
        modality: What the feature holds; None leaves out what depends on it.
        base: Folder that relative paths start from, to tell paths from model
            ids by what is there; None tells them by their form alone.

    Returns:
        Its kind, form and target; nothing has been opened yet.

    Raises:
        BackboneError: If the kind, the scheme or the application is unknown,
            the kind does not fit the feature, or a key is given that either
            has no use for.
    """
    prefix, target = _split(config.handle)
    if modality == "text" and prefix == "keras":
        what = "A keras: handle is a model of pictures, and this feature is a text."
        raise BackboneError(explain(what, config.handle, see=SEE))
    check_keys(config, prefix, modality)
    if prefix == "keras":
        return _application(target).model_copy(update={"modality": modality})
    if prefix == "hf":
        return Handle(kind="hf", form=_hf_form(target, base), target=target, modality=modality)
    parse_preprocessor(config)
    form = _hub_form(config, target)
    return Handle(kind="hub", form=form, target=target, modality=modality)


def parse_preprocessor(config: BackboneConfig) -> Handle | None:
    """Takes the handle of a text encoder's preprocessor apart.

    Args:
        config: The backbone as the user wrote it.

    Returns:
        Its form and target; None if there is none.

    Raises:
        BackboneError: If it is no hub: handle.
    """
    if config.preprocessor is None:
        return None
    prefix, target = _split(config.preprocessor)
    if prefix != "hub":
        what = "A `preprocessor` is a hub: module."
        raise BackboneError(explain(what, config.preprocessor, ("hub:URL-or-path",), SEE))
    return Handle(kind="hub", form=_hub_form(config, target), target=target, modality="text")


def _split(handle: str) -> tuple[str, str]:
    """Parts a handle into a known kind and something after it."""
    prefix, colon, target = handle.strip().partition(":")
    kinds = tuple(dict.fromkeys(row.kind for row in HANDLE_KINDS))
    if not colon or prefix not in kinds:
        raise BackboneError(_unknown_kind(handle, prefix, kinds))
    if not target:
        forms = (row.form for row in HANDLE_KINDS if row.kind == prefix)
        what = f"A {prefix}: handle names nothing after the colon."
        raise BackboneError(explain(what, handle, forms, SEE))
    return prefix, target


def _unknown_kind(handle: str, prefix: str, kinds: tuple[str, ...]) -> str:
    """Says what the handle's kind could have been."""
    what = f"Backbone handle {handle!r} does not start with a known kind."
    bare_application = difflib.get_close_matches(handle, APPLICATIONS, n=1, cutoff=0.7)
    if bare_application:
        what += f" Did you mean 'keras:{bare_application[0]}'?"
    elif prefix in SCHEMES or "/" in prefix or handle.endswith((".tar", ".tar.gz", ".tgz")):
        what += f" Did you mean 'hub:{handle}'?"
    return explain(what, prefix, kinds, SEE)


def _application(target: str) -> Handle:
    """Checks the name of a Keras application."""
    if target not in APPLICATIONS:
        by_lower_case = {name.lower(): name for name in APPLICATIONS}
        close = difflib.get_close_matches(target.lower(), by_lower_case, n=1, cutoff=0.5)
        what = "tf_keras.applications has no such model."
        if close:
            what += f" Did you mean 'keras:{by_lower_case[close[0]]}'?"
        # The suggestion above ignores case, so the names go into the sentence that says where
        # they come from, not into `valid`, which would suggest a second time.
        raise BackboneError(explain(f"{what}\n  Known: {', '.join(APPLICATIONS)}", target, see=SEE))
    return Handle(kind="keras", form="application", target=target)


def _hf_form(target: str, base: Path | None) -> Literal["path", "id"]:
    """Tells folders and model ids apart."""
    there = base is not None and (base / Path(target).expanduser()).is_dir()
    if there or target.startswith((".", "/", "~")) or target.partition("@")[0].count("/") > 1:
        return "path"
    if not MODEL_ID.fullmatch(target):
        forms = (row.form for row in HANDLE_KINDS if row.kind == "hf")
        what = "An hf: handle is a model id of the HuggingFace hub or the path of a folder."
        raise BackboneError(explain(what, target, forms, SEE))
    return "id"


def _hub_form(config: BackboneConfig, target: str) -> Literal["url", "gcs", "path"]:
    """Tells URLs, buckets and paths apart."""
    if "://" not in target:
        return "path"
    scheme = target.split("://")[0]
    if scheme not in SCHEMES:
        raise BackboneError(
            explain(
                "A hub: handle is a path or a URL of a known scheme.",
                target,
                SCHEMES,
                SEE,
            )
        )
    if scheme == "gs":
        return "gcs"
    # A module is a program, and anyone on the way can replace what comes over plain HTTP.
    if scheme == "http" and not config.digest and urlsplit(target).hostname not in LOOPBACK:
        raise BackboneError(
            explain(
                "A backbone over http:// can be replaced on the way: use https://, or pin its "
                "content with `digest: sha256:…`.",
                target,
            )
        )
    return "url"
