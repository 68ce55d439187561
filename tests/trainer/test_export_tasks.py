"""Each task's model, one of them with features of all kinds, loaded where only TensorFlow is."""

import base64
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.config import (
    BackboneConfig,
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from preprocessing.inputs import ImageInput
from preprocessing.kinds import raw_columns
from preprocessing.transform import TransformConfig, preprocessing_fn
from trainer.backbones.vendor import vendor
from trainer.config import HeadConfig, LossConfig
from trainer.export import ServedModel, export
from trainer.features import FeatureExtractor
from trainer.heads import adapt_head, build_head
from trainer.model_config import ModelConfig
from trainer.tasks.registry import TASKS

pytestmark = pytest.mark.slow

FEATURES = {
    "image": ImageFeature(backbone="hub:any", missing="default"),
    "text": TextFeature(kind="text", backbone="hub:any", missing="default"),
    "price": NumericFeature(kind="numeric", missing="default"),
    "brand": CategoricalFeature(kind="categorical", missing="default"),
}
LABELS = {
    "multiclass": (LabelConfig(), ["cat", "dog", "cow"]),
    "binary": (LabelConfig(task="binary", positive="dog"), ["cat", "dog", "cat"]),
    "multilabel": (LabelConfig(task="multilabel"), ["cat|dog", "dog", "cow"]),
    "regression": (LabelConfig(task="regression"), ["100", "250.5", "-3e2"]),
}
# All kinds for one task; pictures and texts make the others' graphs only slower.
FEATURES_OF = {
    task: FEATURES
    if task == "multiclass"
    else {name: FEATURES[name] for name in ("price", "brand")}
    for task in LABELS
}
MISSING = {"image": b"", "text": b"", "price": float("nan"), "brand": b""}

# Run where nothing of ours can be imported: what a server sees.
_LOAD = """
import base64, json, sys
import tensorflow as tf
import tensorflow_text
task_folders, columns = json.loads(sys.stdin.read())
columns["image"] = [base64.b64decode(one) for one in columns["image"]]
answers = {}
for task, folder in task_folders.items():
    model = tf.saved_model.load(folder)
    serve = model.signatures["serving_default"]
    wanted = serve.structured_input_signature[1]
    outputs = serve(**{name: tf.constant(columns[name]) for name in wanted})
    answers[task] = {name: value.numpy().astype("U" if value.dtype == tf.string else None).tolist()
                     for name, value in outputs.items()}
print(json.dumps(answers))
"""


class Lengths(tf.Module):
    """Feature vector of a text: its length and the number of its words."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable([1.0, 10.0])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        words = tf.strings.split(texts).row_lengths()
        lengths = tf.stack([tf.strings.length(texts), tf.cast(words, tf.int32)], axis=-1)
        return tf.ensure_shape(tf.cast(lengths, tf.float32) * self.scale, [None, 2])


@pytest.fixture(scope="module")
def rows(picture):
    """Three examples, of which the last two lack some values, and one that lacks all."""
    return [
        {"image": picture([255, 0, 0]), "text": b"a red thing", "price": 1.0, "brand": b"Acme"},
        {**MISSING, "text": b"no  picture", "brand": b"Zeta"},
        {**MISSING, "image": picture([0, 0, 255]), "price": 5.0},
        MISSING,
    ]


@pytest.fixture(scope="module")
def models(tmp_path_factory, rows, mean_colour):
    """A model for each task, its head's weights drawn at random, and where it is exported."""
    folder = tmp_path_factory.mktemp("tasks")
    tf.saved_model.save(Lengths(), str(folder / "lengths"))
    lengths = vendor(
        BackboneConfig(handle=f"hub:{folder / 'lengths'}"), folder / "store", folder, "text"
    )
    backbones = {"image": mean_colour, "text": lengths}
    made = {}
    for task, (label, labels) in LABELS.items():
        config = TransformConfig(
            features=FEATURES_OF[task],
            images={"image": ImageInput(height=4, width=4, input_range=(0.0, 1.0))},
            label=label,
        )
        columns = {**raw_columns(FEATURES_OF[task]), "label": tf.io.FixedLenFeature([], tf.string)}
        spec = {name: tf.io.FixedLenFeature([], one.dtype) for name, one in columns.items()}
        raw = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
        labelled = [
            {**{name: row[name] for name in FEATURES_OF[task]}, "label": one.encode()}
            for row, one in zip(rows, labels, strict=False)
        ]
        with tft_beam.Context(temp_dir=str(folder / "tmp")):
            graph = (labelled, raw) | tft_beam.AnalyzeDataset(
                lambda inputs, config=config: preprocessing_fn(
                    inputs, {"transform": config.model_dump()}
                )
            )
            _ = graph | tft_beam.WriteTransformFn(str(folder / task / "graph"))
        model_config = ModelConfig(
            features=FEATURES_OF[task],
            backbones={k: v for k, v in backbones.items() if k in FEATURES_OF[task]},
            label=label,
        )
        made[task] = make_model(task, label, labels, str(folder / task / "graph"), model_config)
        export(made[task], str(folder / task / "served"))
    return made, {task: str(folder / task / "served") for task in made}


def make_model(task, label, labels, graph, config):
    extractor = FeatureExtractor(graph, config)
    classes = []
    if task != "regression":
        words = extractor.transform_output.vocabulary_by_name("label")
        classes = TASKS[task].read_classes([word.decode() for word in words], label)
    numbers = [np.array([float(one) for one in labels])] if task == "regression" else []
    known = TASKS[task].inform(numbers, classes, LossConfig())
    head = build_head(
        HeadConfig(hidden=(4,)),
        extractor.head_inputs,
        known.units(len(classes)),
        label_unit=known.label_unit,
    )
    adapt_head(head, {"image": np.full(3, 0.3)}, {"image": np.array([0.1, 0.2, 0.3])})
    random = np.random.default_rng(0)
    for weights in head.trainable_weights:
        weights.assign(random.normal(size=weights.shape, scale=0.2))
    return ServedModel(extractor, head, classes)


def as_columns(rows, features=FEATURES):
    return {name: [row[name] for row in rows] for name in features}


def as_example(row):
    """Leaves out what is missing."""
    feature = {}
    for name, value in row.items():
        if isinstance(value, float) and value == value:
            feature[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        elif isinstance(value, bytes) and value:
            feature[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def test_a_clean_process_answers_as_this_one(models, rows, tmp_path):
    made, folders = models
    columns = as_columns(rows)
    request = {
        name: [base64.b64encode(one).decode() for one in column]
        if name == "image"
        else [one.decode() if isinstance(one, bytes) else one for one in column]
        for name, column in columns.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOAD],
        input=json.dumps([folders, request]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for task, model in made.items():
        expected = model.predict(
            {name: tf.constant(one) for name, one in columns.items() if name in FEATURES_OF[task]}
        )
        assert set(answers[task]) == set(expected)
        for name, value in expected.items():
            if value.dtype == tf.string:
                assert (
                    np.char.encode(np.array(answers[task][name])).tolist() == value.numpy().tolist()
                )
            else:
                np.testing.assert_allclose(answers[task][name], value, rtol=1e-4, atol=1e-5)
                assert np.isfinite(value).all()


@pytest.mark.parametrize("task", LABELS)
def test_columns_that_an_example_lacks_count_as_missing(models, rows, task):
    loaded = tf.saved_model.load(models[1][task])
    columns = {name: tf.constant(one) for name, one in as_columns(rows, FEATURES_OF[task]).items()}
    raw = loaded.signatures["serving_default"](**columns)
    examples = tf.constant([as_example(row) for row in rows])
    parsed = loaded.signatures["serving_examples"](examples=examples)
    for name, value in raw.items():
        assert value.numpy().tolist() == parsed[name].numpy().tolist()


@pytest.mark.parametrize("task", LABELS)
def test_no_example_is_answered_with_nothing(models, task):
    loaded = tf.saved_model.load(models[1][task])
    outputs = loaded.signatures["serving_examples"](examples=tf.constant([], tf.string))
    assert outputs
    assert all(value.shape[0] == 0 for value in outputs.values())


@pytest.mark.parametrize(
    ("task", "labels", "expected"),
    [
        ("binary", [b"dog", b"cat", b""], [1, 0, -1]),
        ("regression", [b"2.5", b"", b"x"], [2.5, np.nan, np.nan]),
    ],
)
def test_labels_are_what_the_loss_takes(models, task, labels, expected):
    loaded = tf.saved_model.load(models[1][task])
    examples = tf.constant([as_example({"label": one}) for one in labels])
    outputs = loaded.signatures["transformed_labels"](examples=examples)
    np.testing.assert_array_equal(outputs["label_id"], expected)
