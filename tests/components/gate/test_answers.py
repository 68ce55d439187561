"""Noted answers give the figures that the model gives, and count only where they are proved."""

import hashlib
import json

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components.gate.answers import Answers, Proved, read_answers, read_keys, write_answers
from components.gate.ask import complete
from components.gate.config import EvaluateConfig
from components.gate.eval_config import build_eval_config
from components.gate.evaluate import NOTED, Executor
from components.gate.results import read_evaluation, read_figures
from preprocessing.config import LabelConfig

SIGNATURE = "serving_examples"
PARITY = [{"signature": SIGNATURE, "examples": 3, "largest_difference": 1e-7, "other_labels": 0}]


def softmax(values):
    powers = np.exp(values)
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.integers(0, 2, [40])
SPLITS = {
    "multiclass": (LabelConfig(), softmax(RANDOM.normal(size=[40, 3])), TRUTH - 1, "abc"),
    "binary": (
        LabelConfig(task="binary", positive="yes"),
        softmax(RANDOM.normal(size=[40, 2])),
        TRUTH,
        ["no", "yes"],
    ),
    "multilabel": (
        LabelConfig(task="multilabel"),
        RANDOM.uniform(size=[40, 3]).astype(np.float32),
        RANDOM.integers(0, 2, [40, 3]).astype(np.float32),
        "abc",
    ),
    "regression": (
        LabelConfig(task="regression"),
        RANDOM.normal(size=[40, 1]).astype(np.float32),
        RANDOM.normal(size=[40]).astype(np.float32),
        [],
    ),
}


@pytest.fixture
def world(tmp_path, echo, example):
    """A candidate and a baseline that says something else, with notes and reports of both."""

    def world(task):
        label, predictions, labels, _ = SPLITS[task]
        output = "value" if task == "regression" else "probabilities"
        split = tmp_path / "examples" / "Split-eval"
        split.mkdir(parents=True)
        raw = [example(p, y) for p, y in zip(predictions, labels, strict=True)]
        for number in range(2):
            with tf.io.TFRecordWriter(str(split / f"data-{number}.gz"), "GZIP") as writer:
                for one in raw[number::2]:
                    writer.write(one)
        keys = np.array([hashlib.sha256(one).hexdigest() for one in raw], "S")
        inputs = {"examples": [artifact(standard_artifacts.Examples, tmp_path / "examples")]}
        inputs["examples"][0].split_names = '["eval"]'
        for name, shift in (("", 0.0), ("baseline_", 0.125)):
            model = tmp_path / f"{name}model"
            echo(task, predictions.shape[-1], shift).save(model / "Format-Serving")
            run, report = tmp_path / f"{name}run", tmp_path / f"{name}infra"
            run.mkdir()
            report.mkdir()
            said = predictions + shift
            said = said[:, 0] if task == "regression" else said
            np.savez(run / "eval_predictions.npz", examples=keys, label_id=labels, **{output: said})
            content = {"blessed": True, "parity": PARITY}
            (report / "report.json").write_text(json.dumps(content))
            infra = "baseline_infra" if name else "infra_blessing"
            inputs |= {
                f"{name}model": [artifact(standard_artifacts.Model, model)],
                "baseline_run" if name else "model_run": [
                    artifact(standard_artifacts.ModelRun, run)
                ],
                infra: [artifact(standard_artifacts.InfraBlessing, report)],
            }
        return inputs

    return world


def artifact(kind, folder):
    made = kind()
    made.uri = str(folder)
    return made


def evaluate(task, inputs, folder):
    label, _, _, classes = SPLITS[task]
    config = EvaluateConfig(slices=[["group"]])
    config = build_eval_config(config, label, "label_id", SIGNATURE, gate=True)
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner"], tmp_dir=str(folder / "tmp")
    )
    evaluation = artifact(standard_artifacts.ModelEvaluation, folder)
    folder.mkdir()
    how = Executor(context).evaluate(
        inputs,
        {"evaluation": [evaluation]},
        {
            "eval_config": proto_utils.proto_to_json(config),
            "example_splits": json_utils.dumps(["eval"]),
        },
    )
    assert not (folder / "answers").exists()
    return how, read_evaluation(str(folder), classes), read_figures(str(folder))


@pytest.mark.slow
@pytest.mark.parametrize("task", SPLITS)
def test_noted_answers_give_the_figures_that_the_model_gives(task, world, tmp_path):
    inputs = world(task)
    how, noted, figures = evaluate(task, inputs, tmp_path / "noted")
    assert how == NOTED
    alone = {key: one for key, one in inputs.items() if key in ("examples", "model")}
    alone["baseline_model"] = inputs["baseline_model"]
    how, called, expected = evaluate(task, alone, tmp_path / "called")
    assert how == "the exported model"
    assert noted.metrics == pytest.approx(called.metrics, abs=1e-6)
    assert noted.baseline == pytest.approx(called.baseline, abs=1e-6)
    assert noted.metrics != pytest.approx(noted.baseline, abs=1e-3)
    assert (noted.classes, noted.confusions) == (called.classes, called.confusions)
    assert [one.slice for one in noted.slices] == [one.slice for one in called.slices]
    assert [one.slice for one in noted.slices] == [{"group": "high"}, {"group": "low"}]
    for one, other in zip(figures, expected, strict=True):
        assert one.slice == other.slice
        assert one.candidate == pytest.approx(other.candidate, abs=1e-6)


@pytest.mark.slow
def test_a_baseline_is_asked_for_examples_that_are_newer_than_it(world, tmp_path):
    inputs = world("multiclass")
    _, expected, _ = evaluate("multiclass", inputs, tmp_path / "noted")
    notes = tmp_path / "baseline_run" / "eval_predictions.npz"
    with np.load(notes) as whole:
        older = {name: whole[name][:-5] for name in whole.files}
    np.savez(notes, **older)
    how, found, _ = evaluate("multiclass", inputs, tmp_path / "asked")
    assert how == f"{NOTED}; the baseline itself was asked for 5 that were not noted"
    assert found.metrics == expected.metrics
    assert found.baseline == pytest.approx(expected.baseline, abs=1e-6)


@pytest.fixture
def proved(tmp_path):
    """Notes of one example, and a report as it is told."""

    def proved(report, **arrays):
        arrays = {"examples": np.array([b"ab"]), "label_id": np.array([1]), **arrays}
        np.savez(tmp_path / "eval_predictions.npz", **arrays)
        if report is not None:
            (tmp_path / "report.json").write_text(json.dumps(report))
        return Proved(str(tmp_path), str(tmp_path))

    return proved


SAID = {"probabilities": np.array([[0.25, 0.75]], np.float32)}


def test_proved_answers_are_read(proved):
    model = proved({"blessed": True, "parity": PARITY}, **SAID)
    answers = read_answers(model, "eval", "probabilities", SIGNATURE)
    assert answers.rows == {"ab": 0}
    assert answers.predictions.tolist() == [[0.25, 0.75]]
    assert answers.labels.tolist() == [1]
    assert read_answers(model, "test", "probabilities", SIGNATURE) is None
    assert read_answers(model, "eval", "value", SIGNATURE) is None


@pytest.mark.parametrize(
    "report",
    [
        None,
        {"blessed": False, "parity": PARITY},
        {"blessed": True, "parity": []},
        {"blessed": True, "parity": [{**PARITY[0], "examples": 0}]},
        {"blessed": True, "parity": [{**PARITY[0], "signature": "serving_default"}]},
    ],
)
def test_without_proof_the_model_is_asked(proved, report):
    assert read_answers(proved(report, **SAID), "eval", "probabilities", SIGNATURE) is None


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda _: b""])
@pytest.mark.parametrize("name", ["eval_predictions.npz", "report.json"])
def test_what_is_damaged_is_no_answer(proved, tmp_path, name, damage):
    model = proved({"blessed": True, "parity": PARITY}, **SAID)
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    assert read_answers(model, "eval", "probabilities", SIGNATURE) is None


@pytest.fixture
def two(tmp_path, example):
    """A file of two examples, and the answers that were noted of them."""
    raw = [example([0.5, 0.25], 1), example([0.25, 0.75], 0)]
    with tf.io.TFRecordWriter(str(tmp_path / "data")) as writer:
        for one in raw:
            writer.write(one)
    rows = {hashlib.sha256(one).hexdigest(): row for row, one in enumerate(raw)}
    said = np.array([[0.5, 0.25], [0.25, 0.75]], np.float32)
    return [str(tmp_path / "data")], Answers(rows, said, np.array([1, 0]))


def test_answers_stand_in_the_place_of_what_they_are_about(tmp_path, two):
    files, answers = two
    target = str(tmp_path / "answers")
    write_answers(files, read_keys(files), target, {"candidate": answers}, ["group", "absent"])
    first = next(tf.data.TFRecordDataset(target).as_numpy_iterator())
    features = tf.train.Example.FromString(first).features.feature
    assert sorted(features) == ["candidate/label", "candidate/prediction", "group"]
    assert features["candidate/prediction"].float_list.value == [0.5, 0.25]
    assert features["candidate/label"].int64_list.value == [1]
    assert features["group"].bytes_list.value == [b"low"]


ASKED = (SIGNATURE, "probabilities", "label_id")


def test_a_model_is_asked_for_what_was_not_noted_of_it(tmp_path, two, echo):
    files, answers = two
    echo("multiclass", 2, 0.125).save(tmp_path / "model")
    last = list(answers.rows)[1]
    noted = Answers({last: 0}, answers.predictions[1:], answers.labels[1:])
    completed, asked = complete(noted, files, read_keys(files), str(tmp_path / "model"), *ASKED)
    assert asked == 1
    assert {key: completed.predictions[row].tolist() for key, row in completed.rows.items()} == {
        last: [0.25, 0.75],
        next(iter(answers.rows)): [0.625, 0.375],
    }
    assert completed.labels.tolist() == [0, 1]


def test_a_model_whose_answers_are_all_noted_is_not_even_loaded(two):
    files, answers = two
    assert complete(answers, files, read_keys(files), "/no/model", *ASKED) == (answers, 0)


def test_where_most_is_not_noted_the_notes_are_of_no_use(two):
    files, answers = two
    none = Answers({}, answers.predictions[:0], answers.labels[:0])
    assert complete(none, files, read_keys(files), "/no/model", *ASKED) is None
