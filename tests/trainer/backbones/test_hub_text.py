"""Modules from strings to vectors, on a real SavedModel that knows three words."""

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from preprocessing.inputs import TextInput
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

TEXTS = ["red fish", "fish", "what is that", ""]
VECTORS = [[1.5, 1.0], [3.0, 2.0], [0.0, 0.0], [0.0, 0.0]]


class Bag(tf.Module):
    """The mean of the words' vectors, zero for an unknown word."""

    def __init__(self, shape=(None,), outputs=lambda y: y):
        super().__init__()
        words = tf.lookup.KeyValueTensorInitializer(["red", "fish"], tf.constant([1, 2], tf.int64))
        self.words = tf.lookup.StaticHashTable(words, 0)
        self.table = tf.Variable([[0.0, 0.0], [0.0, 0.0], [3.0, 2.0]])

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.string)])
        def embed(texts):
            words = tf.strings.split(tf.reshape(texts, [-1]))
            vectors = tf.gather(self.table, self.words.lookup(words.flat_values))
            total = tf.math.segment_sum(vectors, words.value_rowids())
            total = tf.pad(
                total, [[0, words.nrows() - tf.cast(tf.shape(total)[0], tf.int64)], [0, 0]]
            )
            count = tf.maximum(tf.cast(words.row_lengths(), tf.float32), 1.0)
            return outputs(tf.ensure_shape(total / count[:, None], [None, 2]))

        self.embed = embed


@pytest.fixture(scope="module")
def save(tmp_path_factory):
    def write(own_call=True, **options):
        module = Bag(**options)
        if own_call:
            module.__call__ = module.embed
        folder = tmp_path_factory.mktemp("text") / "bag"
        signatures = None if own_call else {"serving_default": module.embed}
        tf.saved_model.save(module, str(folder), signatures=signatures)
        return folder

    return write


@pytest.fixture(scope="module")
def bag(save):
    return save()


def get(tmp_path, handle, modality="text", **config):
    config = BackboneConfig(handle=f"hub:{handle}", **config)
    return vendor(config, tmp_path / "store", tmp_path, modality)


def refusal(*args, **config):
    with pytest.raises(BackboneError) as caught:
        get(*args, **config)
    return str(caught.value)


def test_the_record_says_that_whole_strings_go_in(tmp_path, bag):
    backbone = get(tmp_path, bag)
    assert (backbone.input, backbone.feature_width) == (TextInput(sequence_length=None), 2)
    assert (backbone.kind, backbone.modality, backbone.pooling) == ("hub", "text", None)
    assert type(backbone).model_validate_json(backbone.model_dump_json()) == backbone


@pytest.mark.parametrize("own_call", [True, False])
def test_texts_become_the_vectors_that_the_module_gives(tmp_path, save, own_call):
    module = load(get(tmp_path, save(own_call=own_call)))
    np.testing.assert_allclose(module(tf.constant(TEXTS)), VECTORS)
    assert module(tf.constant([], tf.string)).shape == [0, 2]
    assert not np.any(module.truncated(tf.constant(TEXTS)))


def test_a_module_that_takes_any_shape_of_strings_gets_a_batch(tmp_path, save):
    # As universal-sentence-encoder 4 says of itself.
    module = load(get(tmp_path, save(shape=None, outputs=lambda y: tf.reshape(y, tf.shape(y)))))
    np.testing.assert_allclose(module(tf.constant(TEXTS)), VECTORS)


def test_the_module_decides_where_nobody_says_what_the_feature_holds(tmp_path, bag):
    assert get(tmp_path, bag, modality=None).modality == "text"


@pytest.mark.parametrize("form", ["archive", "url", "bucket"])
def test_other_ways_to_name_it_give_the_same_content(
    tmp_path, bag, form, tar_of, server, answer, monkeypatch
):
    packed = tar_of(bag)
    if form == "archive":
        (tmp_path / "bag.tar.gz").write_bytes(packed)
        handle = "bag.tar.gz"
    elif form == "url":
        server.answers["/bag/1"] = answer(body=packed)
        handle = server.url("/bag/1")
    else:
        # TensorFlow's gs:// reader talks to Google alone; below it all file systems are one.
        handle = "gs://bucket/bag"
        monkeypatch.setattr("tensorflow_hub.resolve", lambda url: str(bag))
    backbone = get(tmp_path, handle)
    assert backbone.digest == get(tmp_path, bag).digest
    np.testing.assert_allclose(load(backbone)(tf.constant(TEXTS)), VECTORS)


def test_the_words_travel_with_an_export(tmp_path, bag):
    whole = tf.Module()
    whole.backbone = load(get(tmp_path, bag))
    whole.serve = tf.function(
        lambda texts: {"y": whole.backbone(texts)},
        input_signature=[tf.TensorSpec([None], tf.string, "texts")],
    )
    tf.saved_model.save(whole, str(tmp_path / "export"), signatures=whole.serve)
    again = tf.saved_model.load(str(tmp_path / "export"))
    served = again.signatures["serving_default"](texts=tf.constant(TEXTS))["y"]
    np.testing.assert_allclose(served, VECTORS)


def test_a_picture_given_a_text_module_is_refused(tmp_path, bag):
    assert refusal(tmp_path, bag, "image") == (
        "The model takes string [?], not float32 [batch, height, width, 3] pictures.\n"
        f"  Received: {str(bag)!r}"
    )


def test_a_text_given_a_picture_module_is_refused(tmp_path, save_model):
    flexible = save_model(shape=(None, None, None, 3))
    assert refusal(tmp_path, flexible) == (
        f"The model takes float32 [?, ?, ?, 3], not [batch] strings.\n  Received: {str(flexible)!r}"
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"shape": (None, 1)}, "The model takes string [?, 1], not [batch] strings."),
        (
            {"outputs": lambda y: y[:, None, :]},
            "The model gives [?, 1, 2], not one vector per text.",
        ),
        (
            {"outputs": lambda y: {"a": y, "b": y}},
            "The SavedModel has neither a __call__ nor a serving_default signature that takes "
            "strings and gives one tensor. It offers: words, table, embed.",
        ),
    ],
)
def test_what_gives_no_vector_is_refused_with_its_reason(tmp_path, save, options, what):
    model = save(**options)
    assert refusal(tmp_path, model) == f"{what}\n  Received: {str(model)!r}"
