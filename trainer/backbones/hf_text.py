"""hf: text models: tokens, transformer and pooling as one backbone.

How token vectors become one is what the model's card says, in the files of
sentence-transformers (modules.json); without them it is their mean. Where the
card normalises vectors to length one, so do we.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from preprocessing.config import BackboneConfig, Record
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import TextInput
from trainer.backbones.hf_files import (
    CARD,
    CONFIG,
    MODULES,
    TOKENIZER,
    TOKENIZER_CONFIG,
    VOCABULARY,
    read_json,
)
from trainer.backbones.hf_model import layers_of, load_model, load_part
from trainer.backbones.module import BackboneModule
from trainer.backbones.pooling import pool
from trainer.backbones.record import Backbone, Interface, Pooling
from trainer.backbones.wordpiece import (
    SUPPORTED,
    build_model,
    check_kind,
    read_wordpiece,
    tokenize,
)

DEFAULT_POOLING: Pooling = "mean"
DEFAULT_LENGTH = 128

_POOLING_KEYS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}


class TextFacts(Record):
    """What staging found out by running a text model.

    Attributes:
        width: Of a token's vector.
        pooler_width: Of the pooled output; None if the weights have no pooler.
        positions: Longest sequence that it has positions for; None if any.
    """

    modality: str = "text"
    width: int
    pooler_width: int | None
    positions: int | None


class Card(Record):
    """What the files of sentence-transformers say.

    Attributes:
        pooling: How token vectors become one; None if in no way that we know.
        normalise: Whether vectors are brought to length one.
        found: What stands there, for messages.
    """

    pooling: Pooling | None
    normalise: bool
    found: str


def inspect(model: Any, missing: list[str], folder: Path, origin: str) -> TextFacts:
    """Tries a text model and its tokenizer.

    Args:
        model: What transformers has loaded.
        missing: Variables that its weights lack.
        folder: Its files.
        origin: How the user knows it, for messages.

    Returns:
        What `describe` needs.

    Raises:
        BackboneError: If its tokenizer is not supported, or it gives no vector
            for each token.
    """
    pieces = read_wordpiece(_tokenizer(folder, origin), origin)
    if len(pieces.vocabulary) > model.config.vocab_size:
        what = f"The tokenizer has {len(pieces.vocabulary)} tokens, the model's table"
        raise BackboneError(explain(f"{what} {model.config.vocab_size}.", origin))
    outputs = model(input_ids=tf.constant([pieces.ends]), training=False)
    tokens = outputs.get("last_hidden_state")
    if tokens is None:
        what = f"The model gives no vector for each token, only: {', '.join(outputs)}."
        raise BackboneError(explain(what, origin))
    pooled = None if missing else outputs.get("pooler_output")
    return TextFacts(
        width=int(tokens.shape[-1]),
        pooler_width=None if pooled is None else int(pooled.shape[-1]),
        positions=getattr(model.config, "max_position_embeddings", None),
    )


def describe(config: BackboneConfig, folder: Path, facts: TextFacts) -> Interface:
    """Settles length and pooling between the card and the config.

    Args:
        config: The backbone as the user wrote it.
        folder: The vendored files.
        facts: What staging found out.

    Returns:
        Its interface.

    Raises:
        BackboneError: If the config asks for more than the model has, or the
            card for something that is not done here.
    """
    card = read_card(folder, config.handle)
    pooling = config.pooling or card.pooling
    if pooling is None:
        known = (*_POOLING_KEYS.values(), "pooler")
        what = f"The model's card makes vectors in another way than those known here: {card.found}."
        raise BackboneError(explain(f"{what} Say which `pooling`.", config.handle, known))
    if pooling == "pooler" and facts.pooler_width is None:
        what = "The weights have no pooler."
        raise BackboneError(explain(what, pooling, _POOLING_KEYS.values()))
    wanted, limit = config.sequence_length, facts.positions
    if limit and (wanted or 0) > limit:
        what = f"`sequence_length` is beyond the {limit} tokens that the model has positions for."
        raise BackboneError(explain(what, wanted))
    width = facts.pooler_width if pooling == "pooler" else facts.width
    assert width
    return Interface(
        input=TextInput(sequence_length=wanted or _default_length(folder, config.handle, limit)),
        feature_width=width,
        pooling=pooling,
    )


def load(backbone: Backbone, dtype: str) -> BackboneModule:
    """Loads a vendored text model.

    Args:
        backbone: The record that vendoring gave.
        dtype: Of its arithmetic.

    Returns:
        The backbone in inference mode.
    """
    folder, origin = Path(backbone.path), backbone.handle
    assert isinstance(backbone.input, TextInput)
    assert backbone.input.sequence_length
    assert backbone.pooling
    model, _ = load_model(folder, dtype, origin)
    prepare, truncated = make_tokenizer(folder, backbone.input.sequence_length, origin)
    normalise = read_card(folder, origin).normalise
    return BackboneModule(
        _encoder(model, backbone.pooling, normalise),
        model,
        model.variables,
        backbone,
        prepare=prepare,
        truncated=truncated,
        layers=layers_of(model, pooler=backbone.pooling == "pooler"),
    )


def make_tokenizer(
    folder: Path, length: int, origin: str
) -> tuple[Callable[[tf.Tensor], dict[str, tf.Tensor]], Callable[[tf.Tensor], tf.Tensor]]:
    """Builds the functions that texts go through first.

    Args:
        folder: The model's files.
        length: Tokens at most, those at both ends included.
        origin: How the user knows the model.

    Returns:
        One from `[batch]` strings to `input_ids` and `attention_mask`, int32
        `[batch, longest of the batch]`, and one to `[batch]` bool, whether a
        text has more tokens.
    """
    tokenizer = _tokenizer(folder, origin)
    pieces = read_wordpiece(tokenizer, origin)
    model = build_model(pieces)
    pad = read_json(folder, CONFIG, origin).get("pad_token_id") or 0
    first, last = pieces.ends

    def prepare(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        tokens = tokenize(texts, pieces, model)[:, : length - 2]
        one = tf.ones_like(tokens[:, :0].to_tensor(shape=[None, 1]))
        tokens = tf.concat([one * first, tokens, one * last], axis=1)
        return {
            "input_ids": tokens.to_tensor(pad),
            "attention_mask": tf.ones_like(tokens).to_tensor(0),
        }

    def truncated(texts: tf.Tensor) -> tf.Tensor:
        return tokenize(texts, pieces, model).row_lengths() > length - 2

    return prepare, truncated


def _encoder(
    model: Any, pooling: Pooling, normalise: bool
) -> Callable[[Mapping[str, tf.Tensor]], tf.Tensor]:
    """From tokens to vectors, `[batch, width]` float32."""

    def encode(tokens: Mapping[str, tf.Tensor]) -> tf.Tensor:
        batch = tf.shape(tokens["input_ids"])[0]
        # Reshapes inside the models fail on no example at all, so one of padding joins it.
        rows = [[0, tf.cast(batch == 0, tf.int32)], [0, 0]]
        padded = {name: tf.pad(one, rows) for name, one in tokens.items()}
        outputs = model(**padded, training=False)
        if pooling == "pooler":
            vectors = tf.cast(outputs.pooler_output, tf.float32)
        else:
            hidden = tf.cast(outputs.last_hidden_state, tf.float32)
            vectors = pool(hidden, padded["attention_mask"], pooling)
        if normalise:
            vectors = tf.math.l2_normalize(vectors, axis=1)
        return vectors[:batch]

    return encode


def read_card(folder: Path, origin: str) -> Card:
    """Reads how a model's authors make one vector of a text.

    Args:
        folder: The model's files.
        origin: How the user knows it.

    Returns:
        What they say; the mean where they say nothing.
    """
    modules = [str(one.get("type", "")).rpartition(".")[2] for one in _modules(folder, origin)]
    modes: list[str] = []
    for one in _modules(folder, origin):
        if str(one.get("type", "")).endswith(".Pooling"):
            options = read_json(folder, f"{one['path']}/{CONFIG}", origin)
            modes += [key for key, on in options.items() if key.startswith("pooling_mode") and on]
    rest = set(modules) - {"Transformer", "Pooling", "Normalize"}
    pooling: Pooling | None = DEFAULT_POOLING
    if modules:
        known = len(modes) == 1 and not rest
        pooling = _POOLING_KEYS.get(modes[0]) if known else None
    found = " → ".join(modules) + (f" ({', '.join(modes)})" if modes else "")
    return Card(pooling=pooling, normalise="Normalize" in modules, found=found)


def _modules(folder: Path, origin: str) -> list[dict[str, Any]]:
    return read_json(folder, MODULES, origin) or []


def _tokenizer(folder: Path, origin: str) -> Any:
    """Has transformers read the tokenizer, and gives its Rust part."""
    parts = read_json(folder, TOKENIZER, origin)
    if parts:
        check_kind(parts, origin)
    elif not (folder / VOCABULARY).is_file():
        named = read_json(folder, TOKENIZER_CONFIG, origin).get("tokenizer_class", "none")
        what = (
            f"There is neither {TOKENIZER} nor {VOCABULARY}, of which a tokenizer inside the graph "
            f"could be made. tokenizer_class: {named}."
        )
        raise BackboneError(explain(what, origin, SUPPORTED))
    loaded = load_part("AutoTokenizer", folder, origin)
    if not loaded.is_fast:
        what = f"transformers has no fast tokenizer for it: {type(loaded).__name__}."
        raise BackboneError(explain(what, origin, SUPPORTED))
    return loaded.backend_tokenizer


def _default_length(folder: Path, origin: str, limit: int | None) -> int:
    """As many tokens as the model was made for, within reason."""
    stated = (
        read_json(folder, CARD, origin).get("max_seq_length"),
        read_json(folder, TOKENIZER_CONFIG, origin).get("model_max_length"),
        limit,
    )
    return int(min(DEFAULT_LENGTH, *(one for one in stated if one)))
