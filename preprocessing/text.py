"""Texts as a backbone wants them: one unicode form, plain spaces, in the graph.

Tokens are made by the backbone, which brings its own vocabulary.
"""

import tensorflow as tf

from preprocessing.config import TextFeature
from preprocessing.inputs import ImageInput

MISSING = b""


def normalise_texts(texts: tf.Tensor, form: str) -> tf.Tensor:
    """Cleans a batch of texts.

    Bytes that are not UTF-8 become U+FFFD; control and format characters other
    than white space are dropped; every run of white space becomes one space, none at the
    ends.

    Args:
        texts: `[batch]` string, UTF-8.
        form: Unicode form: NFC, NFKC, or none to leave it as it is.

    Returns:
        `[batch]` string.
    """
    import tensorflow_text as text

    valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    if form != "none":
        valid = text.normalize_utf8(valid, form)
    spaced = tf.strings.regex_replace(valid, r"[\s\v\x{85}\p{Z}]+", " ")
    printable = tf.strings.regex_replace(spaced, r"[\p{Cc}\p{Cf}]+", "")
    return tf.strings.strip(printable)


def add_text(
    name: str, raw: tf.Tensor, feature: TextFeature, wanted: ImageInput | None
) -> dict[str, tf.Tensor]:
    """Adds a text's part of the transform graph; see kinds.py."""
    return {name: normalise_texts(raw, feature.unicode)}


def is_missing(raw: tf.Tensor) -> tf.Tensor:
    """Tells which of `[batch]` texts are missing: those without a visible sign."""
    return tf.strings.regex_full_match(raw, r"[\s\p{Z}]*")
