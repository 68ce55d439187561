"""Every config in examples/comparison/, from data to a pushed model that answers.

Where the config names weights of the internet, a small module made here has
their place: its inputs and outputs are theirs, its numbers are not.
"""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "examples" / "comparison"
COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}
EACH = 20  # Pictures or texts of a class.

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


class Pictures(tf.Module):
    """A fixed projection of the picture's mean colour and its square."""

    def __init__(self, width, bias):
        super().__init__()
        start = np.random.default_rng(0).normal(size=[6, width])
        self.kernel = tf.Variable(start, dtype=tf.float32)
        self.bias = tf.Variable(tf.zeros([width])) if bias else None

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3], tf.float32)])
    def __call__(self, images):
        colour = tf.reduce_mean(images, [1, 2])
        projected = tf.concat([colour, colour**2], axis=1) @ self.kernel
        return projected if self.bias is None else projected + self.bias


class Sentences(tf.Module):
    """The mean of fixed vectors of the words, as wide as universal-sentence-encoder's."""

    def __init__(self):
        super().__init__()
        start = np.random.default_rng(0).normal(size=[1000, 512])
        self.table = tf.Variable(start, dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec(None, tf.string)])
    def __call__(self, texts):
        words = tf.strings.split(tf.reshape(texts, [-1]))
        vectors = tf.gather(self.table, tf.strings.to_hash_bucket_fast(words, 1000))
        return tf.reduce_mean(vectors, axis=1)


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    def save(made):
        folder = tmp_path_factory.mktemp("module")
        tf.saved_model.save(made, str(folder))
        return f"hub:{folder}"

    return save


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """One folder of noisy pictures for each colour."""
    folder, rng = tmp_path_factory.mktemp("flowers"), np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir()
        for number in range(EACH):
            pixels = np.clip(rng.normal(colour, 40, [32, 32, 3]), 0, 255).astype(np.uint8)
            picture = tf.io.encode_jpeg(pixels).numpy()
            (folder / name / f"{number}.jpg").write_bytes(picture)
    return folder


def write_table(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def run(graft, tmp_path):
    """Runs a config on other data with other backbones; it has to push a model."""

    def check(name, data, **backbones):
        changes = {
            "data.source.path": data,
            "workdir": tmp_path / "work",
            "push.path": tmp_path / "serving",
            **{f"features.{key.replace('__', '.')}": value for key, value in backbones.items()},
        }
        arguments = [w for key, value in changes.items() for w in ("--set", f"{key}={value}")]
        result = graft("run", CONFIGS / f"{name}.yaml", "--json", *arguments, cwd=tmp_path)
        assert result.code == 0, result.err
        return result.summary

    return check


def reviews(words):
    """Texts of two classes, told apart by one word each."""
    things = ["film", "book", "play", "song"]
    ends = ["a friend said", "we saw", "I heard", "in town", "last year"]
    for (label, word), thing, end in itertools.product(words.items(), things, ends):
        yield f"The {thing} {end} was {word}.", label


def test_every_config_has_its_test():
    tested = {name.removeprefix("test_").replace("_", "-") for name in globals()}
    assert {path.stem for path in CONFIGS.iterdir()} <= tested


# The three that differ from these in the backbone alone, whose kinds have tests of their own.
LONG = pytest.mark.long


@LONG
def test_resnet50_keras(run, flowers, tmp_path):
    import tf_keras

    weights = tmp_path / "random.h5"
    tf_keras.applications.ResNet50(include_top=False, weights=None).save_weights(weights)
    summary = run("resnet50-keras", flowers, image__backbone__weights=weights)
    assert summary["examples"] == {"train": 48, "eval": 6, "test": 6}


@LONG
def test_resnet50_hub(run, flowers, module):
    run("resnet50-hub", flowers, image__backbone=module(Pictures(2048, bias=False)))


@LONG
def test_efficientnet_b0_logits(run, flowers, module):
    run(
        "efficientnet-b0-logits", flowers, image__backbone__handle=module(Pictures(1000, bias=True))
    )


def test_use_sentiment(run, module, tmp_path):
    rows = reviews({"positive": "wonderful", "negative": "dreadful"})
    data = write_table(tmp_path / "reviews.csv", ["text", "label"], rows)
    run("use-sentiment", data, text__backbone=module(Sentences()))


def test_use_mobilenet(run, flowers, module, tmp_path):
    rows = [
        (path, f"A {path.parent.name} picture", path.parent.name)
        for path in sorted(flowers.rglob("*.jpg"))
    ]
    data = write_table(tmp_path / "described.csv", ["image", "description", "label"], rows)
    run(
        "use-mobilenet",
        data,
        image__backbone=module(Pictures(1280, bias=False)),
        description__backbone=module(Sentences()),
    )


def test_bert_base_uncased(run, tmp_path):
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "book", "play", "song"]
    words += ["was", "wonderful", "dreadful", "we", "saw", "."]
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(vocab_size=len(words), num_hidden_layers=1)
    model = transformers.TFBertModel(config)
    model(model.dummy_inputs)
    model.save_pretrained(folder)
    rows = reviews({"praise": "wonderful", "blame": "dreadful"})
    data = write_table(tmp_path / "texts.csv", ["text", "label"], rows)
    run("bert-base-uncased", data, text__backbone__handle=f"hf:{folder}")
