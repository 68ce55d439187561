"""A preprocessor and an encoder whose numbers can be worked out by hand.

A token's vector is its id, its position and one; the pooled output is twice the
first token's vector.
"""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from preprocessing.inputs import TextInput
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "on", "mat", "##s", "a", "."]
CLS, SEP = 2.0, 3.0
POSITIONS = 16
NAMES = ("input_word_ids", "input_mask", "input_type_ids")


class Tokenize(tf.Module):
    """Strings to ragged word pieces, as [batch, words, pieces]."""

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
    """Segments to the encoder's inputs, traced as published preprocessors are."""

    def __init__(self):
        super().__init__()

        @tf.function(autograph=False)
        def call(segments, seq_length=128):
            (tokens,) = segments
            tokens = tf_text.RoundRobinTrimmer(seq_length - 2).trim([tokens.merge_dims(-2, -1)])
            ids, types = tf_text.combine_segments(tokens, int(CLS), int(SEP))
            ids, mask = tf_text.pad_model_inputs(ids, seq_length)
            types, _ = tf_text.pad_model_inputs(types, seq_length)
            return dict(zip(NAMES, (ids, mask, types), strict=True))

        ragged = tf.RaggedTensorSpec([None, None, None], tf.int32)
        call.get_concrete_function([ragged], seq_length=tf.TensorSpec([], tf.int32))
        self.__call__ = call


class Encoder(tf.Module):
    """Its word table has a name that tells nothing, its table of positions may have one."""

    def __init__(self, length=None, batch=None, named=True):
        super().__init__()
        ids = tf.range(float(len(WORDS)))
        self.words = tf.Variable(tf.stack([ids, 0 * ids, 0 * ids + 1], axis=1))
        places = tf.range(float(POSITIONS))
        name = "position_embedding/embeddings" if named else None
        self.places = tf.Variable(tf.stack([0 * places, places, 0 * places], axis=1), name=name)
        spec = tf.TensorSpec([batch, length], tf.int32)

        @tf.function(input_signature=[dict.fromkeys(NAMES, spec)])
        def call(inputs):
            ids = inputs["input_word_ids"]
            places = tf.gather(self.places, tf.range(tf.shape(ids)[1]))
            sequence = tf.gather(self.words, ids) + places
            return {
                "pooled_output": 2.0 * sequence[:, 0],
                "sequence_output": sequence,
                "encoder_outputs": [sequence],
                "default": 2.0 * sequence[:, 0],
            }

        self.__call__ = call


class Pooled(tf.Module):
    """An encoder that keeps its token vectors to itself."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        spec = tf.TensorSpec([None, None], tf.int32)
        self.__call__ = tf.function(
            lambda inputs: {"pooled_output": self.encoder.__call__(inputs)["pooled_output"]},
            input_signature=[dict.fromkeys(NAMES, spec)],
        )


@pytest.fixture(scope="module")
def save(tmp_path_factory):
    def write(module=None, **attributes):
        folder = tmp_path_factory.mktemp("pair") / "module"
        # A tf.Module computes `trainable_variables`, and what is computed is not saved.
        root = tf.train.Checkpoint(**attributes)
        if module:
            root.model, root.__call__ = module, module.__call__
        tf.saved_model.save(root, str(folder))
        return folder

    return write


@pytest.fixture(scope="module")
def preprocessor(tmp_path_factory, save):
    words = tmp_path_factory.mktemp("words") / "vocab.txt"
    words.write_text("\n".join(WORDS) + "\n")
    return save(tokenize=Tokenize(words), bert_pack_inputs=Pack())


@pytest.fixture(scope="module")
def encoder(save):
    module = Encoder()
    return save(module, trainable_variables=[module.words, module.places])


@pytest.fixture
def get(tmp_path, encoder, preprocessor):
    """Vendors a pair; what is not given is the one that fits."""

    def vendored(handle=encoder, preprocessor=preprocessor, modality="text", **config):
        tokens = preprocessor and f"hub:{preprocessor}"
        config = BackboneConfig(handle=f"hub:{handle}", preprocessor=tokens, **config)
        return vendor(config, tmp_path / "store", tmp_path, modality)

    return vendored


@pytest.fixture
def refusal(get):
    def message(**config):
        with pytest.raises(BackboneError) as caught:
            get(**config)
        return str(caught.value)

    return message


def test_the_record_says_all_that_is_needed(get):
    backbone = get()
    assert backbone.input == TextInput(sequence_length=POSITIONS)
    assert (backbone.feature_width, backbone.pooling) == (3, "pooler")
    assert type(backbone).model_validate_json(backbone.model_dump_json()) == backbone


# The cat sat: 2 4 5 6 3; nothing: 2 3.
@pytest.mark.parametrize(
    ("pooling", "some", "none"),
    [
        (None, [2 * CLS, 0, 2], [2 * CLS, 0, 2]),
        ("mean", [(2 + 4 + 5 + 6 + 3) / 5, 2, 1], [(CLS + SEP) / 2, 0.5, 1]),
        ("cls", [CLS, 0, 1], [CLS, 0, 1]),
        ("max", [6, 4, 1], [SEP, 1, 1]),
    ],
)
def test_a_text_becomes_the_pooling_of_its_tokens_vectors(get, pooling, some, none):
    module = load(get(pooling=pooling))
    np.testing.assert_allclose(module(tf.constant(["The  CAT sat", ""])), [some, none])


def test_texts_are_prepared_once_for_any_number_of_encodings(get):
    module = load(get(sequence_length=5))
    prepared = module.prepare(tf.constant(["the mats"]))
    assert {name: one.numpy().tolist() for name, one in prepared.items()} == {
        "input_word_ids": [[2, 4, 8, 9, 3]],
        "input_mask": [[1, 1, 1, 1, 1]],
        "input_type_ids": [[0, 0, 0, 0, 0]],
    }
    np.testing.assert_allclose(module.encode(prepared), [[2 * CLS, 0, 2]])


def test_a_text_is_truncated_where_its_tokens_are_too_many(get):
    module = load(get(sequence_length=5, pooling="max"))
    texts = tf.constant(["the cat sat on mat", "the cat sat", "the mats", "a mats .", ""])
    assert module.truncated(texts).numpy().tolist() == [True, False, False, True, False]
    np.testing.assert_allclose(module(texts)[0], [6, 4, 1])


def test_what_is_trained_changes_the_vectors(get):
    module = load(get(pooling="mean"))
    ((words,), (places,)) = module.layers
    assert (words.shape, places.shape) == ([len(WORDS), 3], [POSITIONS, 3])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(module(tf.constant(["the"])))
    slope = tf.convert_to_tensor(tape.gradient(total, words))
    assert np.flatnonzero(slope[:, 0]).tolist() == [CLS, SEP, 4]


def test_both_lie_in_one_entry_under_one_digest(get, save, tmp_path, encoder):
    backbone = get()
    (entry,) = (one for one in (tmp_path / "store").iterdir() if one.name != "sources")
    assert str(entry) == backbone.path
    assert {one.name for one in entry.iterdir()} == {"encoder", "preprocessor"}
    assert get(digest=backbone.digest) == backbone
    other = save(Encoder())
    assert get(handle=other).digest != backbone.digest


@pytest.mark.parametrize("form", ["archive", "url"])
def test_each_may_be_named_in_another_way(
    get, tmp_path, encoder, preprocessor, form, tar_of, server, answer
):
    expected = get()
    if form == "archive":
        (tmp_path / "tokens.tgz").write_bytes(tar_of(preprocessor))
        assert get(preprocessor="tokens.tgz").digest == expected.digest
    else:
        for name, folder in (("/encoder/1", encoder), ("/tokens/1", preprocessor)):
            server.answers[name] = answer(body=tar_of(folder))
        urls = {"handle": server.url("/encoder/1"), "preprocessor": server.url("/tokens/1")}
        assert get(**urls).digest == expected.digest
        server.answers.clear()
        assert get(**urls).digest == expected.digest
        assert len(server.asked) == 2


def test_both_travel_with_an_export(get, tmp_path):
    whole = tf.Module()
    whole.backbone = load(get(pooling="mean"))
    whole.serve = tf.function(
        lambda texts: {"y": whole.backbone(texts)},
        input_signature=[tf.TensorSpec([None], tf.string, "texts")],
    )
    tf.saved_model.save(whole, str(tmp_path / "export"), signatures=whole.serve)
    again = tf.saved_model.load(str(tmp_path / "export"))
    served = again.signatures["serving_default"](texts=tf.constant(["the cat sat"]))["y"]
    np.testing.assert_allclose(served, [[4, 2, 1]])


def test_a_length_beyond_the_positions_is_refused(refusal):
    assert refusal(sequence_length=17) == (
        "`sequence_length` is beyond the 16 tokens that the encoder has positions for.\n"
        "  Received: 17"
    )


@pytest.mark.slow
def test_a_length_beyond_positions_without_a_name_is_found_by_running_once(get, refusal, save):
    unnamed = save(Encoder(named=False))
    assert get(handle=unnamed, sequence_length=16).feature_width == 3
    first, *rest = refusal(handle=unnamed, sequence_length=17).splitlines()
    assert first.startswith("The encoder cannot be run on 17 tokens (`sequence_length`): ")
    assert rest == [f"  Received: {f'hub:{unnamed}'!r}"]


def test_an_encoder_of_a_fixed_length_takes_that_one(get, refusal, save):
    fixed = save(Encoder(length=8))
    assert get(handle=fixed).input.sequence_length == 8
    assert refusal(handle=fixed, sequence_length=16) == (
        "The encoder takes 8 tokens only: leave `sequence_length` out.\n  Received: 16"
    )


def test_an_encoder_of_a_fixed_batch_is_refused(refusal, save):
    single = save(Encoder(batch=1, length=8))
    assert refusal(handle=single) == (
        "The encoder takes int32 [1, 8], not [batch, tokens] of input_word_ids.\n"
        f"  Received: {f'hub:{single}'!r}"
    )


def test_a_pooling_without_its_output_names_those_that_work(refusal, get, save):
    pooled = save(Pooled())
    assert get(handle=pooled).feature_width == 3
    assert refusal(handle=pooled, pooling="mean") == (
        "This pooling needs the encoder's sequence_output; it gives: pooled_output.\n"
        "  Received: 'mean'\n"
        "  Valid: pooler"
    )


def test_a_preprocessor_without_its_parts(refusal, encoder):
    assert refusal(preprocessor=encoder) == (
        "A preprocessor has the parts tokenize and bert_pack_inputs. This one offers: "
        "model.\n"
        f"  Received: {f'hub:{encoder}'!r}"
    )


def test_an_encoder_that_takes_something_else(refusal, tiny):
    assert refusal(handle=tiny) == (
        "A text encoder takes input_word_ids, input_mask, input_type_ids from its preprocessor. "
        "This one takes float32 [?, 8, 8, 3].\n"
        f"  Received: {f'hub:{tiny}'!r}"
    )


def test_an_encoder_without_its_preprocessor(refusal, encoder):
    assert refusal(preprocessor=None) == (
        "The model is an encoder that takes tokens, not strings: name the module that makes them "
        "with `preprocessor: hub:…`.\n"
        f"  Received: {str(encoder)!r}"
    )


def test_a_preprocessor_in_the_encoders_place(refusal, preprocessor):
    assert refusal(handle=preprocessor, preprocessor=None) == (
        "The model makes tokens of strings: it is a `preprocessor`, and `handle` is for the "
        "encoder that takes them.\n"
        f"  Received: {str(preprocessor)!r}"
    )
