"""WordPiece inside the graph, token for token as HuggingFace's fast tokenizers.

Characters are normalised by the table of characters.py, words are cut by
tensorflow_text from the model's own vocabulary. Special tokens that are written
in a text, such as [SEP], count as such, as they do there.
"""

import functools
import json
import re
from typing import Any, NamedTuple

import tensorflow as tf
from tokenizers import Tokenizer

from preprocessing.errors import BackboneError, explain
from trainer.backbones.characters import CharacterTable, ask, replace

SUPPORTED = ("WordPiece with BERT's normaliser and pre-tokenizer (BertTokenizer and its like)",)

# Private code points that stand for added tokens between looking for them and
# cutting words; from U+10FF00 on, out of every text by then.
_FIRST_MARK = 0x10FF00
_MARKS = 0xF0


class WordPiece(NamedTuple):
    """All that the graph needs.

    Attributes:
        vocabulary: Token of each id; an added token's place has its mark.
        unknown: Token of the vocabulary for words that it cannot make up.
        prefix: What begins a token inside a word.
        max_characters: Longer words are unknown.
        added: Tokens that are looked for in the text itself -> their mark.
        ends: Ids that go before and after every text.
        table: What happens to each character.
    """

    vocabulary: tuple[str, ...]
    unknown: str
    prefix: str
    max_characters: int
    added: dict[str, str]
    ends: tuple[int, int]
    table: CharacterTable


def read_wordpiece(tokenizer: Tokenizer, origin: str) -> WordPiece:
    """Takes a HuggingFace tokenizer apart.

    Args:
        tokenizer: The Rust tokenizer that transformers has made of the model's files.
        origin: How the user knows the model, for messages.

    Returns:
        What `tokenize` needs.

    Raises:
        BackboneError: If it is of another kind.
    """
    parts = json.loads(tokenizer.to_str())
    check_kind(parts, origin)
    model = parts["model"]
    tokens = dict(model["vocab"])
    added = {one["content"]: one["id"] for one in parts["added_tokens"]}
    tokens.update(added)
    size = max(tokens.values()) + 1
    # A file may skip an id or name a token twice; no word makes what stands there instead.
    vocabulary = [chr(_FIRST_MARK + _MARKS) + str(number) for number in range(size)]
    for token, number in tokens.items():
        vocabulary[number] = token or vocabulary[number]
    marks = {token: chr(_FIRST_MARK + index) for index, token in enumerate(added)}
    for token, mark in marks.items():
        vocabulary[added[token]] = mark
    if model["unk_token"] not in tokens:
        raise BackboneError(
            explain("The vocabulary lacks the token for unknown words.", model["unk_token"])
        )
    return WordPiece(
        vocabulary=tuple(vocabulary),
        unknown=vocabulary[tokens[model["unk_token"]]],
        prefix=model["continuing_subword_prefix"],
        max_characters=model["max_input_chars_per_word"],
        added=marks,
        ends=_ends(tokenizer, origin),
        table=_table(json.dumps(parts["normalizer"]), len(marks)),
    )


def check_kind(parts: dict[str, Any], origin: str) -> None:
    """Refuses tokenizers that the graph cannot be made to agree with.

    Args:
        parts: Content of a tokenizer.json.
        origin: How the user knows the model.

    Raises:
        BackboneError: If it is none of `SUPPORTED`.
    """
    found = [
        parts["model"].get("type", "WordPiece" if "unk_token" in parts["model"] else "unknown"),
        *((parts.get(part) or {}).get("type", "none") for part in ("normalizer", "pre_tokenizer")),
    ]
    if found != ["WordPiece", "BertNormalizer", "BertPreTokenizer"]:
        raise BackboneError(
            explain(
                f"The tokenizer is of a kind that cannot run inside the graph: {found[0]}, with "
                f"normaliser {found[1]} and pre-tokenizer {found[2]}.",
                origin,
                SUPPORTED,
            )
        )
    for one in parts.get("added_tokens", ()):
        if one["normalized"] or one["single_word"]:
            raise BackboneError(
                explain(
                    f"The tokenizer's added token {one['content']!r} is looked for in normalised "
                    "text or as a single word, which the graph does not do.",
                    origin,
                )
            )
    if len(parts.get("added_tokens", ())) > _MARKS:
        raise BackboneError(
            explain(f"The tokenizer adds more than {_MARKS} tokens to its vocabulary.", origin)
        )


def tokenize(texts: tf.Tensor, pieces: WordPiece, model: Any) -> tf.RaggedTensor:
    """Makes token ids of a batch of texts, without those at the ends.

    Args:
        texts: `[batch]` string.
        pieces: The tokenizer.
        model: What `build_model` made of it.

    Returns:
        `[batch, (tokens)]` int32.
    """
    import tensorflow_text

    last = chr(_FIRST_MARK + 0xFF)
    texts = tf.strings.regex_replace(texts, f"[{chr(_FIRST_MARK)}-{last}]", "")
    for token in sorted(pieces.added, key=len, reverse=True):
        texts = tf.strings.regex_replace(texts, re.escape(token), pieces.added[token])
    words = tf.strings.split(replace(texts, pieces.table), " ")
    words = tf.ragged.boolean_mask(words, words != "")
    too_long = tf.strings.length(words.flat_values, unit="UTF8_CHAR") > pieces.max_characters
    words = words.with_flat_values(tf.where(too_long, pieces.unknown, words.flat_values))
    cutter = tensorflow_text.FastWordpieceTokenizer(
        model_buffer=model, no_pretokenization=True, token_out_type=tf.int32
    )
    return cutter.tokenize(words).merge_dims(1, 2)


def build_model(pieces: WordPiece) -> tf.Tensor:
    """Compiles the vocabulary for tensorflow_text, once for all functions that use it.

    Args:
        pieces: The tokenizer.

    Returns:
        The compiled vocabulary, uint8.
    """
    import tensorflow_text

    return tensorflow_text.FastWordpieceTokenizer(
        vocab=list(pieces.vocabulary),
        suffix_indicator=pieces.prefix,
        # In bytes, of which a character has four at most.
        max_bytes_per_word=4 * pieces.max_characters + 1,
        unknown_token=pieces.unknown,
        no_pretokenization=True,
    )._model


def _ends(tokenizer: Tokenizer, origin: str) -> tuple[int, int]:
    """Finds what goes before and after a text: the tokens of an empty one."""
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    ends = plain.encode("").ids
    if len(ends) != 2:
        raise BackboneError(
            explain(
                "The tokenizer does not put one token before and one after every text.",
                origin,
                SUPPORTED,
            )
        )
    return ends[0], ends[1]


@functools.lru_cache(maxsize=2)
def _table(normaliser: str, marks: int) -> CharacterTable:
    """Asks a normaliser once in a process; it takes a second."""
    parts = {
        "version": "1.0",
        "normalizer": json.loads(normaliser),
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "", "vocab": {"": 0}}
        | {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
    }
    return ask(Tokenizer.from_str(json.dumps(parts)), range(_FIRST_MARK, _FIRST_MARK + marks))
