"""The tokenizer in the graph gives HuggingFace's tokens, whatever the text."""

import csv
import json
import unicodedata
from pathlib import Path

import pytest
import tensorflow as tf
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertTokenizerFast

from preprocessing.errors import BackboneError
from preprocessing.text import normalise_texts
from trainer.backbones.wordpiece import build_model, read_wordpiece, tokenize

ROOT = Path(__file__).parents[3]

NASTY = {
    "empty": b"",
    "white space": " \t\n\r\v\f\u00a0\u2003\u2028 ".encode(),
    "emoji": "🙂👩‍👩‍👧‍👦 🥲🫠 a🙂b 🇩🇪".encode(),
    "accents": "é è naïve Ångström señor Đặng".encode(),
    "decomposed": unicodedata.normalize("NFD", "é è naïve Ångström señor Đặng").encode(),
    "CJK": "中文字符 日本語テスト カタカナ 한국어 각 㐀 𠀀".encode(),
    "control": "a\x00b\x01c\x7fd\x85e\u200bf\u200dg\ufeffh\u00adi\x1bj".encode(),
    "invalid": b"\xff\xfeabc\xc3(\xed\xa0\x80)\xf0\x28\x8c\xbc\xe4\xb8",
    "replacement": "a\ufffdb".encode(),
    "dotted I": "İstanbul DİYARBAKIR ıI".encode(),
    "sharp s": "Straße STRASSE ẞ".encode(),
    "sigma": "ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ ς".encode(),
    "100 letters": b"a" * 100,
    "101 letters": b"a" * 101,
    "100 wide letters": "é".encode() * 100,
    "101 wide letters": "σ".encode() * 101,
    "10,000 words": b"Hello, world " * 5000,
    "special": b"[SEP] hello [CLS][MASK] [sep] [[SEP]] [PAD]x[UNK] [ SEP ]",
    "private": "\U0010ff00\U0010ff01 \U0010fff0 \U000f0000 \ue000 a".encode(),
    "punctuation": "don't ## ##ing #a `x´ $1 €5 ™ a—b ¿que? «c» 、。".encode(),
    "ligatures": "ﬁ ⅷ ½ ² Ǆ ŉ ﷺ 𝔘𝔫𝔦 𝟘".encode(),
    "marks": "e\u0301\u0323 q\u0323\u0307 \u0301 \u302e a\u20dd".encode(),
    "bars": b"||| a|b||c",
}


def in_graph(tokenizer):
    pieces = read_wordpiece(tokenizer.backend_tokenizer, "model")
    model = build_model(pieces)
    spec = [tf.TensorSpec([None], tf.string)]
    return tf.function(lambda texts: tokenize(texts, pieces, model), input_signature=spec)


def check(tokenizer, texts, ours=None):
    got = (ours or in_graph(tokenizer))(tf.constant(texts, tf.string)).to_list()
    plain = [text.decode(errors="replace") for text in texts]
    options = {"add_special_tokens": False, "padding": False, "truncation": False}
    assert got == (tokenizer(plain, **options)["input_ids"] if plain else [])


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory, bert_vocabulary):
    path = tmp_path_factory.mktemp("words") / "vocab.txt"
    path.write_text("\n".join(bert_vocabulary), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"do_lower_case": False},
        {"do_lower_case": False, "strip_accents": True},
        {"strip_accents": False},
        {"tokenize_chinese_chars": False},
    ],
    ids=str,
)
def test_nasty_texts_whatever_the_options(vocabulary, options):
    check(BertTokenizerFast(vocabulary, **options), list(NASTY.values()))


@pytest.mark.slow
def test_every_character_there_is(vocabulary):
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    # Most planes are empty; what is in them is looked at by samples.
    near = ["".join(characters[at : at + 64]) for at in range(0, 0x33000, 64)]
    far = ["a".join(characters[at : at + 0x1000 : 61]) for at in range(0x33000, 0x10F000, 0x1000)]
    check(BertTokenizerFast(vocabulary), [text.encode() for text in near + far])


def test_a_batch_without_texts(vocabulary):
    check(BertTokenizerFast(vocabulary), [])


def test_a_vocabulary_with_empty_and_repeated_lines(tmp_path, bert_vocabulary):
    words = [*bert_vocabulary[:20], "", *bert_vocabulary[20:], "the", "last"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    check(BertTokenizerFast(str(tmp_path / "vocab.txt")), [b"the last cat", *NASTY.values()])


def test_tokens_that_were_added_to_the_vocabulary(vocabulary):
    tokenizer = BertTokenizerFast(vocabulary)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[BRAND]", "[BRAND]S", "<e1>"]})
    check(tokenizer, [b"a [BRAND] cat[BRAND]S<e1>the < e1 >", b"[brand]"])


@pytest.mark.slow
def test_real_texts(minilm, shared_texts):
    """12,097 of them, as they are and as Transform gives them to the backbone."""
    tokenizer = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
    ours = in_graph(tokenizer)
    assert len(shared_texts) > 2000
    for texts in (shared_texts, list(NASTY.values())):
        check(tokenizer, texts, ours)
        check(tokenizer, normalise_texts(tf.constant(texts), "NFC").numpy().tolist(), ours)


@pytest.fixture
def shared_texts():
    folder = (ROOT.parent / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip("the shared data is not here")
    with open(folder / "banking77" / "train.csv", newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    with open(folder / "products" / "products.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            texts += [row["name"], row["description"]]
    return [text.encode() for text in texts]


def changed(vocabulary, change):
    parts = json.loads(BertTokenizerFast(vocabulary).backend_tokenizer.to_str())
    change(parts)
    return Tokenizer.from_str(json.dumps(parts))


def refusal(vocabulary, change):
    with pytest.raises(BackboneError) as caught:
        read_wordpiece(changed(vocabulary, change), "hf:some/model")
    return str(caught.value)


SUPPORTED = (
    "  Valid: WordPiece with BERT's normaliser and pre-tokenizer (BertTokenizer and its like)"
)


def test_another_kind_is_named(vocabulary):
    def to_bpe(parts):
        parts["model"] = {"type": "BPE", "vocab": {"a": 0}, "merges": []}
        parts["normalizer"] = None
        parts["pre_tokenizer"] = {"type": "Whitespace"}
        parts["added_tokens"], parts["post_processor"] = [], None

    assert refusal(vocabulary, to_bpe) == (
        "The tokenizer is of a kind that cannot run inside the graph: BPE, with normaliser none "
        "and pre-tokenizer Whitespace.\n"
        "  Received: 'hf:some/model'\n" + SUPPORTED
    )


def test_another_normaliser_is_named(vocabulary):
    def to_nfkc(parts):
        parts["normalizer"] = {"type": "NFKC"}

    assert "WordPiece, with normaliser NFKC and pre-tokenizer BertPreTokenizer" in refusal(
        vocabulary, to_nfkc
    )


def test_added_words_that_wait_for_the_normaliser_are_refused(vocabulary):
    def add(parts):
        parts["added_tokens"][-1]["normalized"] = True

    assert refusal(vocabulary, add) == (
        "The tokenizer's added token '[MASK]' is looked for in normalised text or as a single "
        "word, which the graph does not do.\n"
        "  Received: 'hf:some/model'"
    )


def test_other_ends_than_one_token_each_are_refused(vocabulary):
    def drop(parts):
        parts["post_processor"] = None

    assert refusal(vocabulary, drop) == (
        "The tokenizer does not put one token before and one after every text.\n"
        "  Received: 'hf:some/model'\n" + SUPPORTED
    )
