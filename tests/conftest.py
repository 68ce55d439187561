"""What every test needs before it imports anything, and the models that tests share."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import settings

# As every entry point does: hub layers and TFT are Keras 2, and TensorFlow
# decides which Keras it offers from this, in subprocesses too.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

# Which example is slow says nothing on a machine that others use, too.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

ROOT = Path(__file__).parents[1]
pytest_plugins = ["tests.colours"]


@pytest.fixture(scope="session")
def minilm():
    """Folder of all-MiniLM-L6-v2, as `make minilm` leaves it."""
    folder = Path(os.environ.get("GRAFT_MINILM", ROOT / ".backbones" / "all-MiniLM-L6-v2"))
    if not (folder / "config.json").is_file():
        pytest.skip(f"all-MiniLM-L6-v2 is not in {folder}: run `make minilm`")
    return folder


WORDS = ["the", "cat", "sat", "on", "mat", "hello", "world", "caf", "strasse"]


@pytest.fixture(scope="session")
def bert_vocabulary():
    """Special tokens, every printable ASCII sign alone and inside a word, some words."""
    signs = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return [*special, *signs, *(f"##{sign}" for sign in signs), *WORDS, "中", "σ", "##σ", "ß"]


@pytest.fixture(scope="session")
def save_bert(tmp_path_factory, bert_vocabulary):
    """Saves a tiny BERT with random weights and its tokenizer, as a hub's repository has it."""
    from transformers import BertConfig, BertTokenizerFast, TFBertModel
    from transformers.utils import logging

    logging.set_verbosity_error()

    def save(layers=2, pooler=True, safe=True, tokenizer=None, **files):
        folder = tmp_path_factory.mktemp("bert")
        (folder / "vocab.txt").write_text("\n".join(bert_vocabulary) + "\n", encoding="utf-8")
        BertTokenizerFast(str(folder / "vocab.txt"), **(tokenizer or {})).save_pretrained(folder)
        config = BertConfig(
            vocab_size=len(bert_vocabulary),
            hidden_size=16,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=24,
            max_position_embeddings=32,
        )
        model = TFBertModel(config, add_pooling_layer=pooler)
        model.build_in_name_scope()
        # Larger than their initial 0.02, so that texts differ in more than rounding.
        model.set_weights([10 * one if one.ndim > 1 else one for one in model.get_weights()])
        model.save_pretrained(folder, safe_serialization=safe)
        for name, content in files.items():
            path = folder / name.replace("__", "/").replace("_json", ".json")
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")
        return folder

    return save


@pytest.fixture(scope="session")
def bert(save_bert):
    """A tiny BERT without a card."""
    return save_bert()
