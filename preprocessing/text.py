"""Texts as a backbone wants them: one unicode form, plain spaces, in the graph.

Tokens are made by the backbone, which brings its own vocabulary. Beside core
TensorFlow one op of TensorFlow Text is used, NormalizeUTF8; stock TensorFlow
Serving links both (tensorflow_serving/model_servers/BUILD,
SUPPORTED_TENSORFLOW_OPS).
"""

import tensorflow as tf
import tensorflow_text

from preprocessing.cells import CONTROLS, SPACES
from preprocessing.config import TextFeature
from preprocessing.inputs import ImageInput

MISSING = b""


def normalise_texts(texts: tf.Tensor, form: str) -> tf.Tensor:
    """Cleans a batch of texts; doing it twice changes nothing more.

    Bytes that are not UTF-8 become U+FFFD. Control and format characters that
    are no white space are dropped, so that what they stand between joins: with
    the zero-width joiner an emoji of several parts becomes its parts side by
    side, one word still. BERT's own tokenizers drop them too, while TensorFlow
    Text's put a space there; dropped first, both see the same. Every run of
    white space becomes one space, none at the ends.

    Args:
        texts: `[batch]` string, UTF-8; may be empty.
        form: Unicode form: NFC, NFKC, or none to leave it as it is.

    Returns:
        `[batch]` string.
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.regex_replace(texts, f"[{CONTROLS}]+", "")
    # After the controls, which hide what composes; before the spaces, which it makes.
    if form != "none":
        texts = tensorflow_text.normalize_utf8(texts, form)
    return tf.strings.strip(tf.strings.regex_replace(texts, f"[{SPACES}]+", " "))


def add_text(
    name: str, raw: tf.Tensor, feature: TextFeature, wanted: ImageInput | None
) -> dict[str, tf.Tensor]:
    """Adds a text's part of the transform graph; see kinds.py."""
    return {name: normalise_texts(raw, feature.unicode)}


def is_missing(raw: tf.Tensor) -> tf.Tensor:
    """Tells which of `[batch]` texts are missing: those without a visible sign."""
    return tf.strings.regex_full_match(raw, f"[{SPACES}{CONTROLS}]*")
