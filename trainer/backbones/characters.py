"""What a HuggingFace tokenizer does to single characters, as a table for the graph.

BERT's normaliser and pre-tokenizer look at one character at a time: drop it,
lower it, take its accents off, set spaces around it. So the library that the
model was trained with is asked about every character, and the graph looks the
answers up. TensorFlow's own operations know another version of Unicode and
lower some letters by their place in the word or by the machine's language.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tokenizers import Tokenizer

# Code points are looked up in pages, most of which are alike.
PAGE = 256
END = 0x110000

# Planes without assigned characters stay as they are; one private character
# stands for those of the last two planes.
_ASKED = (range(1, 0xD800), range(0xE000, 0x32000), range(0xE0000, 0xE0200))
_PRIVATE = 0xF0000


class CharacterTable(NamedTuple):
    """Where each code point's replacement is found.

    Attributes:
        pages: `[END / PAGE]` int32, number of the page that a code point is on.
        rows: `[pages, PAGE]` int32, row of the replacement; 0 keeps the code point.
        replacements: `[rows, width]` int32 code points, 0 where there is none.
    """

    pages: tf.Tensor
    rows: tf.Tensor
    replacements: tf.Tensor


def ask(tokenizer: Tokenizer, words: range) -> CharacterTable:
    """Asks a tokenizer about every character.

    Args:
        tokenizer: One whose normaliser and pre-tokenizer look at one character
            at a time.
        words: Private code points that shall be words of their own.

    Returns:
        The table: white space becomes a space, what is a word of its own gets
        spaces around it, what is dropped becomes nothing.
    """
    asked = [chr(point) for part in _ASKED for point in part] + [chr(_PRIVATE)]
    answers = dict(zip(asked, _replacements(tokenizer, asked), strict=True))
    private = answers.pop(chr(_PRIVATE))
    texts = [""]
    row_of: dict[str, int] = {}
    rows = np.zeros(END, np.int32)

    def row(text: str) -> int:
        if text not in row_of:
            row_of[text] = len(texts)
            texts.append(text)
        return row_of[text]

    for character, answer in answers.items():
        if answer != character:
            rows[ord(character)] = row(answer)
    if private != chr(_PRIVATE):
        rows[_PRIVATE:] = row(private)
    for point in words:
        rows[point] = row(f" {chr(point)} ")
    pages, of = np.unique(rows.reshape(-1, PAGE), axis=0, return_inverse=True)
    replacements = np.zeros([len(texts), max(map(len, texts))], np.int32)
    for number, text in enumerate(texts):
        replacements[number, : len(text)] = [ord(character) for character in text]
    # Tensors made here, not in the functions that read them, are saved once for all of these.
    return CharacterTable(
        tf.constant(of.ravel(), tf.int32), tf.constant(pages), tf.constant(replacements)
    )


def replace(texts: tf.Tensor, table: CharacterTable) -> tf.Tensor:
    """Replaces every character of a batch of texts.

    Args:
        texts: `[batch]` string; bytes that are not UTF-8 count as U+FFFD.
        table: The replacements.

    Returns:
        `[batch]` string, UTF-8.
    """
    points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    flat = points.flat_values
    row = tf.gather_nd(
        table.rows, tf.stack([tf.gather(table.pages, flat // PAGE), flat % PAGE], axis=1)
    )
    replaced = tf.gather(table.replacements, row)
    width = replaced.shape[1]
    kept = tf.pad(flat[:, tf.newaxis], [[0, 0], [0, width - 1]])
    replaced = tf.where((row == 0)[:, tf.newaxis], kept, replaced)
    wide = tf.RaggedTensor.from_row_splits(tf.reshape(replaced, [-1]), points.row_splits * width)
    return tf.strings.unicode_encode(tf.ragged.boolean_mask(wide, wide > 0), "UTF-8")


def _replacements(tokenizer: Tokenizer, characters: list[str]) -> list[str]:
    """Normalises characters and sets spaces where the pre-tokenizer parts words."""
    # One call for all is ten times faster than one for each; no bar comes out of another character.
    normalised = tokenizer.normalizer.normalize_str("|".join(characters).replace("|||", "|-|"))
    answers = normalised.split("|")
    if "|" in characters:
        answers[characters.index("|")] = "|"
    each = sorted(set("".join(answers)))
    spaced = _spaced(tokenizer, each)
    return ["".join(spaced[one] for one in answer) for answer in answers]


def _spaced(tokenizer: Tokenizer, characters: list[str]) -> dict[str, str]:
    """Looks how the pre-tokenizer parts letters with each character between."""
    pieces = tokenizer.pre_tokenizer.pre_tokenize_str(f"a{'a'.join(characters)}a")
    whole, alone = np.zeros(2 * len(characters) + 1, bool), set()
    for text, (start, end) in pieces:
        whole[start:end] = True
        if end - start == 1 and start % 2:
            alone.add(text)
    between = whole[1::2]
    return {
        character: f" {character} " if character in alone else character if inside else " "
        for character, inside in zip(characters, between, strict=True)
    }
