"""all-MiniLM-L6-v2 as modules of both hub interfaces gives what its hf: handle gives."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

BANKING = Path(__file__).parents[4] / "shared" / "data" / "banking77" / "test.csv"
NAMES = ("input_word_ids", "input_mask", "input_type_ids")
CLS, SEP = 101, 102

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BANKING.is_file(), reason="no ../shared/data beside this checkout"),
]


class Tokenize(tf.Module):
    """BertTokenizer, as published preprocessors have it."""

    def __init__(self, words):
        super().__init__()
        self.vocabulary = tf.saved_model.Asset(str(words))
        self.tokenizer = tf_text.BertTokenizer(
            self.vocabulary.asset_path, lower_case=True, token_out_type=tf.int32
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        return self.tokenizer.tokenize(texts)


class Pack(tf.Module):
    def __init__(self):
        super().__init__()

        @tf.function(autograph=False)
        def call(segments, seq_length=128):
            tokens = tf_text.RoundRobinTrimmer(seq_length - 2).trim([segments[0].merge_dims(1, 2)])
            ids, types = tf_text.combine_segments(tokens, CLS, SEP)
            ids, mask = tf_text.pad_model_inputs(ids, seq_length)
            types, _ = tf_text.pad_model_inputs(types, seq_length)
            return dict(zip(NAMES, (ids, mask, types), strict=True))

        ragged = tf.RaggedTensorSpec([None, None, None], tf.int32)
        call.get_concrete_function([ragged], seq_length=tf.TensorSpec([], tf.int32))
        self.__call__ = call


@pytest.fixture(scope="module")
def texts():
    with BANKING.open(encoding="utf-8") as file:
        return tf.constant([row["text"] for row in itertools.islice(csv.DictReader(file), 100)])


@pytest.fixture(scope="module")
def modules(minilm, tmp_path_factory):
    """Folders of a string-to-vector module, a preprocessor and an encoder."""
    import transformers

    folder = tmp_path_factory.mktemp("minilm")
    bert = transformers.TFBertModel.from_pretrained(minilm)
    tokenize, pack = Tokenize(minilm / "vocab.txt"), Pack()

    def call(tokens):
        ids, mask, types = (tokens[name] for name in NAMES)
        sequence = bert(
            input_ids=ids, attention_mask=mask, token_type_ids=types, training=False
        ).last_hidden_state
        weights = tf.cast(mask, tf.float32)[:, :, None]
        mean = tf.reduce_sum(sequence * weights, 1) / tf.reduce_sum(weights, 1)
        return {"sequence_output": sequence, "pooled_output": tf.math.l2_normalize(mean, axis=1)}

    spec = tf.TensorSpec([None, None], tf.int32)
    encode = tf.function(call, input_signature=[dict.fromkeys(NAMES, spec)], autograph=False)
    whole = tf.function(
        lambda texts: call(pack.__call__([tokenize(texts)], seq_length=64))["pooled_output"],
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    variables = {"trainable_variables": bert.trainable_variables, "variables": bert.variables}
    roots = {
        "preprocessor": tf.train.Checkpoint(tokenize=tokenize, bert_pack_inputs=pack),
        "encoder": tf.train.Checkpoint(**variables),
        "sentence": tf.train.Checkpoint(tokenize=tokenize, **variables),
    }
    roots["encoder"].__call__, roots["sentence"].__call__ = encode, whole
    for name, root in roots.items():
        tf.saved_model.save(root, str(folder / name))
    return folder


@pytest.fixture(scope="module")
def expected(minilm, texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hf")
    vectors = load(vendor(BackboneConfig(handle=f"hf:{minilm}"), folder, folder, "text"))(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    return vectors


def get(tmp_path, modules, handle, **config):
    config = BackboneConfig(handle=f"hub:{handle}", **config)
    return vendor(config, tmp_path / "store", modules, "text")


def test_as_a_module_from_strings_to_vectors(tmp_path, modules, texts, expected):
    module = load(get(tmp_path, modules, "sentence"))
    np.testing.assert_allclose(module(texts), expected, atol=1e-4)


def test_as_a_preprocessor_and_an_encoder(tmp_path, modules, texts, expected):
    backbone = get(tmp_path, modules, "encoder", preprocessor="hub:preprocessor")
    assert (backbone.feature_width, backbone.input.sequence_length) == (384, 128)
    module = load(backbone)
    assert not np.any(module.truncated(texts))
    np.testing.assert_allclose(module(texts), expected, atol=1e-4)
    blocks = [one for one in map(_block, module.layers) if one]
    assert blocks == [str(number) for number in range(6)]


def test_by_the_mean_of_its_token_vectors(tmp_path, modules, texts, expected):
    pair = {"preprocessor": "hub:preprocessor", "pooling": "mean", "sequence_length": 64}
    vectors = load(get(tmp_path, modules, "encoder", **pair))(texts)
    np.testing.assert_allclose(tf.math.l2_normalize(vectors, axis=1), expected, atol=1e-4)


def test_a_length_beyond_its_positions_is_one_error(tmp_path, modules):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, modules, "encoder", preprocessor="hub:preprocessor", sequence_length=513)
    assert str(caught.value) == (
        "`sequence_length` is beyond the 512 tokens that the encoder has positions for.\n"
        "  Received: 513"
    )


def _block(layer):
    """Number of the block that a layer is; empty if it is none."""
    return layer[0].name.partition("layer_._")[2].partition("/")[0]
