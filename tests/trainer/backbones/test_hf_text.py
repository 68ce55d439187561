"""hf: text models give what transformers gives, from plain strings, also when reloaded."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from transformers import AutoTokenizer, DistilBertConfig, TFAutoModel, TFDistilBertModel

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from preprocessing.inputs import TextInput
from trainer.backbones.hf_model import load_model
from trainer.backbones.load import load
from trainer.backbones.store import entry
from trainer.backbones.vendor import vendor

TEXTS = ["The cat sat on a mat.", "", "Hello, world! " * 30, "a [SEP] Straße 中🙂"]


def get(tmp_path, folder, modality=None, **config):
    backbone = BackboneConfig(handle=f"hf:{folder}", **config)
    return vendor(backbone, tmp_path / "store", tmp_path, modality)


def refusal(tmp_path, folder, modality=None, **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, folder, modality, **config)
    return str(caught.value)


def expected(folder, length, pooling, texts=TEXTS):
    """What transformers gives, pooled by numpy."""
    tokens = AutoTokenizer.from_pretrained(folder)(
        texts, padding=True, truncation=True, max_length=length, return_tensors="np"
    )
    tokens.pop("token_type_ids", None)
    outputs = TFAutoModel.from_pretrained(folder)(**tokens)
    hidden, mask = outputs.last_hidden_state.numpy(), tokens["attention_mask"][..., None]
    return {
        "mean": lambda: (hidden * mask).sum(1) / mask.sum(1),
        "cls": lambda: hidden[:, 0],
        "max": lambda: np.where(mask > 0, hidden, -np.inf).max(1),
        "pooler": lambda: outputs.pooler_output.numpy(),
    }[pooling]()


def modules(*kinds):
    return [
        {
            "idx": i,
            "path": f"{i}_{kind}" if i else "",
            "type": f"sentence_transformers.models.{kind}",
        }
        for i, kind in enumerate(kinds)
    ]


def card(*modes, rest=()):
    """The files of sentence-transformers, by name as `save_bert` wants them."""
    options = {f"pooling_mode_{mode}": mode in modes for mode in ("cls_token", "mean_tokens", "x")}
    return {
        "modules_json": modules("Transformer", "Pooling", *rest),
        "1_Pooling__config_json": options,
    }


@pytest.fixture(scope="module")
def module(tmp_path_factory, bert):
    return load(get(tmp_path_factory.mktemp("text"), bert))


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "pooler"])
def test_vectors_are_those_of_transformers(tmp_path, bert, pooling):
    backbone = get(tmp_path, bert, pooling=pooling)
    assert backbone.pooling == pooling
    assert backbone.feature_width == 16
    assert backbone.input == TextInput(sequence_length=32)
    vectors = load(backbone)(tf.constant(TEXTS))
    assert vectors.dtype == tf.float32
    assert np.ptp(vectors) > 0.1
    np.testing.assert_allclose(vectors, expected(bert, 32, pooling), atol=1e-5)


def test_without_a_card_it_is_the_mean(tmp_path, bert):
    assert get(tmp_path, bert).pooling == "mean"


@pytest.mark.parametrize(("mode", "pooling"), [("mean_tokens", "mean"), ("cls_token", "cls")])
def test_pooling_is_what_the_card_says(tmp_path, save_bert, mode, pooling):
    folder = save_bert(**card(mode))
    assert get(tmp_path, folder).pooling == pooling
    assert get(tmp_path, folder, pooling="max").pooling == "max"


def test_vectors_are_brought_to_length_one_where_the_card_does_so(tmp_path, save_bert):
    folder = save_bert(**card("mean_tokens", rest=["Normalize"]))
    vectors = load(get(tmp_path, folder))(tf.constant(TEXTS)).numpy()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    plain = expected(folder, 32, "mean")
    np.testing.assert_allclose(
        vectors, plain / np.linalg.norm(plain, axis=1, keepdims=True), atol=1e-5
    )


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            card("mean_tokens", rest=["Dense"]),
            "Transformer → Pooling → Dense (pooling_mode_mean_tokens)",
        ),
        (
            card("mean_tokens", "cls_token"),
            "Transformer → Pooling (pooling_mode_cls_token, pooling_mode_mean_tokens)",
        ),
        (card("x"), "Transformer → Pooling (pooling_mode_x)"),
    ],
)
def test_a_card_that_we_cannot_follow(tmp_path, save_bert, files, found):
    folder = save_bert(**files)
    assert refusal(tmp_path, folder) == (
        "The model's card makes vectors in another way than those known here: "
        f"{found}. Say which `pooling`.\n"
        f"  Received: 'hf:{folder}'\n"
        "  Valid: mean, cls, max, pooler"
    )
    assert get(tmp_path, folder, pooling="cls").pooling == "cls"


def test_weights_without_a_pooler(tmp_path, save_bert):
    folder = save_bert(pooler=False)
    assert get(tmp_path, folder).pooling == "mean"
    assert refusal(tmp_path, folder, pooling="pooler") == (
        "The weights have no pooler.\n  Received: 'pooler'\n  Valid: mean, cls, max"
    )


def test_the_length_is_the_cards_unless_the_config_says_less(tmp_path, save_bert):
    folder = save_bert(sentence_bert_config_json={"max_seq_length": 20})
    assert get(tmp_path, folder).input.sequence_length == 20
    backbone = get(tmp_path, folder, sequence_length=8)
    assert backbone.input.sequence_length == 8
    np.testing.assert_allclose(
        load(backbone)(tf.constant(TEXTS)), expected(folder, 8, "mean"), atol=1e-5
    )


def test_a_length_beyond_the_models(tmp_path, bert):
    assert refusal(tmp_path, bert, sequence_length=33) == (
        "`sequence_length` is beyond the 32 tokens that the model has positions for.\n"
        "  Received: 33"
    )


def test_tokens_are_padded_to_the_longest_of_the_batch_and_cut_with_both_ends_kept(module, bert):
    tokens = module.prepare(tf.constant(["the cat", "", "the " * 99]))
    assert {name: one.dtype for name, one in tokens.items()} == {
        "input_ids": tf.int32,
        "attention_mask": tf.int32,
    }
    wanted = AutoTokenizer.from_pretrained(bert)(
        ["the cat", "", "the " * 99], padding=True, truncation=True, max_length=32
    )
    for name, one in tokens.items():
        assert one.numpy().tolist() == wanted[name]
    assert module.prepare(tf.constant(["the cat", ""]))["input_ids"].shape == (2, 4)


def test_what_is_cut_short_is_told(module):
    texts = tf.constant(["the " * 30, "the " * 31, "", "the" * 99])
    assert module.truncated(texts).numpy().tolist() == [False, True, False, False]


def test_a_batch_without_texts_gives_no_vectors(module):
    assert module(tf.constant([], tf.string)).shape == (0, 16)
    assert module.truncated(tf.constant([], tf.string)).shape == (0,)


def test_layers_are_the_embeddings_and_each_block_and_all_of_them_learn(module):
    names = [[variable.name for variable in layer] for layer in module.layers]
    assert len(names) == 3
    assert all("/embeddings/" in name for name in names[0])
    assert all("/layer_._0/" in name for name in names[1])
    assert all("/layer_._1/" in name for name in names[2])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(tf.constant(TEXTS)) ** 2)
    for gradients in tape.gradient(loss, module.layers):
        largest = [tf.reduce_max(tf.abs(tf.convert_to_tensor(one))) for one in gradients]
        assert all(value is not None for value in gradients)
        assert max(largest) > 0


def test_the_pooler_is_the_last_layers_where_it_is_used(tmp_path, bert):
    last = load(get(tmp_path, bert, pooling="pooler")).layers[-1]
    assert last[-1].name.endswith("/pooler/dense/bias:0")


@pytest.mark.slow
def test_it_runs_on_keras_2_and_in_another_arithmetic_with_float32_variables(tmp_path, bert):
    model, _ = load_model(bert, "float32", "model")
    assert isinstance(model, tf_keras.Model)
    backbone = get(tmp_path, bert)
    module = load(backbone, "bfloat16")
    assert tf_keras.mixed_precision.global_policy().name == "float32"
    assert {variable.dtype for layer in module.layers for variable in layer} == {tf.float32}
    vectors = module(tf.constant(TEXTS))
    assert vectors.dtype == tf.float32
    difference = np.abs(vectors - expected(bert, 32, "mean")).max()
    assert 0 < difference < 0.2


@pytest.mark.slow
def test_another_architecture_and_hdf5(tmp_path, save_bert, bert_vocabulary):
    folder = save_bert()
    config = DistilBertConfig(
        vocab_size=len(bert_vocabulary), dim=8, n_heads=2, n_layers=1, hidden_dim=8
    )
    model = TFDistilBertModel(config)
    model.build_in_name_scope()
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, safe_serialization=False)
    backbone = get(tmp_path, folder)
    assert (backbone.feature_width, backbone.input.sequence_length) == (8, 128)
    assert len(load(backbone).layers) == 2
    np.testing.assert_allclose(
        load(backbone)(tf.constant(TEXTS)), expected(folder, 128, "mean"), atol=1e-5
    )


@pytest.mark.slow
def test_a_vocabulary_file_alone_makes_a_tokenizer(tmp_path, save_bert):
    folder = save_bert(tokenizer={"do_lower_case": False})
    (folder / "tokenizer.json").unlink()
    np.testing.assert_allclose(
        load(get(tmp_path, folder))(tf.constant(TEXTS)), expected(folder, 32, "mean"), atol=1e-5
    )
    (folder / "vocab.txt").unlink()
    assert refusal(tmp_path, folder) == (
        "There is neither tokenizer.json nor vocab.txt, of which a tokenizer inside the graph "
        "could be made. tokenizer_class: BertTokenizer.\n"
        f"  Received: 'hf:{folder}'\n"
        "  Valid: WordPiece with BERT's normaliser and pre-tokenizer (BertTokenizer and its like)"
    )


def test_what_is_vendored_is_what_is_needed(tmp_path, save_bert):
    folder = save_bert(sentence_bert_config_json={"max_seq_length": 20})
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    (folder / "modeling_own.py").write_text("raise SystemExit")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "config.json").write_text("{}")
    stored = entry(tmp_path / "store", get(tmp_path, folder).digest)
    assert sorted(path.name for path in stored.rglob("*")) == [
        "config.json",
        "facts.json",
        "model.safetensors",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert json.loads((stored / "facts.json").read_text()) == {
        "modality": "text",
        "pooler_width": 16,
        "positions": 32,
        "width": 16,
    }


@pytest.mark.slow
def test_weights_in_parts(tmp_path, bert):
    folder = tmp_path / "parts"
    shutil.copytree(bert, folder)
    (folder / "model.safetensors").unlink()
    model = TFAutoModel.from_pretrained(bert)
    model.save_pretrained(folder, max_shard_size="4KB", safe_serialization=True)
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    np.testing.assert_allclose(
        load(get(tmp_path, folder))(tf.constant(TEXTS)), expected(bert, 32, "mean"), atol=1e-5
    )
    part = max(folder.glob("model-*.safetensors"))
    part.unlink()
    assert refusal(tmp_path, folder) == (
        f"Parts of the weights are missing: {part.name}.\n  Received: 'hf:{folder}'"
    )


RELOAD = """
import sys
import numpy as np, tensorflow as tf, tensorflow_text
folder = sys.argv[1]
model = tf.saved_model.load(folder + "/export")
texts = tf.constant(np.load(folder + "/texts.npy").tolist())
vectors = model.signatures["serving_default"](texts=texts)["vectors"]
np.testing.assert_allclose(vectors, np.load(folder + "/vectors.npy"), atol=1e-5)
assert not {"transformers", "tokenizers"} & set(sys.modules)
"""


@pytest.mark.slow
def test_an_export_gives_the_same_with_tensorflow_alone(tmp_path, module):
    class Whole(tf.Module):
        def __init__(self):
            super().__init__()
            self.backbone = module

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
        def serve(self, texts):
            return {"vectors": self.backbone(texts)}

    whole = Whole()
    tf.saved_model.save(whole, str(tmp_path / "export"), signatures=whole.serve)
    np.save(tmp_path / "texts.npy", np.array([text.encode() for text in TEXTS]))
    np.save(tmp_path / "vectors.npy", module(tf.constant(TEXTS)))
    done = subprocess.run(
        [sys.executable, "-c", RELOAD, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_all_minilm_says_what_its_authors_say(tmp_path, minilm):
    backbone = get(tmp_path, minilm)
    assert (backbone.pooling, backbone.feature_width) == ("mean", 384)
    module = load(backbone)
    assert [len(layer) for layer in module.layers] == [5, 16, 16, 16, 16, 16, 16]
    plain = expected(minilm, 128, "mean")
    wanted = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(module(tf.constant(TEXTS)), wanted, atol=1e-4)
    # The first values of "hello world", as its page and many others show them.
    first = module(tf.constant(["hello world"]))[0, :3]
    np.testing.assert_allclose(first, [-0.0345, 0.0310, 0.0067], atol=1e-4)
