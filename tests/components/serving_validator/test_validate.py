"""Real models, sound and broken, tried in the real process."""

import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from components.serving_validator.config import ValidateConfig
from components.serving_validator.examples import Trial
from components.serving_validator.validate import validate
from preprocessing.clean_process import spares
from preprocessing.model_info import write_model_info

CONFIG = ValidateConfig(tf_serving="2.16", batch_sizes=[0, 1, 3, 8])
HAS_OPS = r"passed: TensorFlow Serving 2\.16 has all \d+ operations of the model"
ANSWERS = "passed: serving_default answers batches of 0, 1, 3, 8"


def check(report, *reasons):
    """Every reason matches whole, and the verdict follows from them."""
    assert len(report.reasons) == len(reasons), report.reasons
    for said, expected in zip(report.reasons, reasons, strict=True):
        assert re.fullmatch(expected, said), said
    assert report.blessed == all(one.startswith("passed") for one in reasons)


def test_a_sound_model_is_blessed_with_its_figures(served, trial):
    _, folder = served
    budgets = {"batch_1": {"p50_ms": 60_000}, "batch_32": {"p95_ms": 60_000}}
    config = CONFIG.model_copy(update={"max_size_mb": 5.0})
    config = ValidateConfig.model_validate({**config.model_dump(), "latency": budgets})
    report = validate(str(folder), trial, config, [str(folder.parent)])
    check(
        report,
        r"passed: its files take 0\.1 MB, at most 5",
        HAS_OPS,
        ANSWERS,
        "passed: serving_examples answers batches of 0, 1, 3, 8",
        "passed: transformed_labels answers batches of 0, 1, 3, 8",
        r"passed: serving_default answers 5 eval examples as the training path, "
        r"within \S+, at most 0\.0001",
        r"passed: serving_examples answers 5 eval examples as the training path, "
        r"within \S+, at most 0\.0001",
        "passed: transformed_labels answers 5 eval examples as the training path, "
        r"within 0, at most 0\.0001",
        r"passed: a batch of 1 takes [\d.,]+ ms \(median\), at most 60,000",
        r"passed: a batch of 32 takes [\d.,]+ ms \(95th percentile\), at most 60,000",
    )
    assert [one.signature for one in report.parity] == [
        "serving_default",
        "serving_examples",
        "transformed_labels",
    ]
    assert all(one.largest_difference < 1e-6 for one in report.parity)
    assert [one.batch for one in report.latency] == [1, 32]
    assert all(0 < one.p50_ms <= one.p95_ms for one in report.latency)
    assert "DecodeJpeg" in report.ops
    assert report.text_ops == ()
    assert report.load_seconds is not None


@pytest.mark.parametrize(
    ("examples", "of_others"), [(256, 64), pytest.param(None, 100, marks=pytest.mark.slow)]
)
def test_other_signatures_are_tried_on_some_of_many(served, trial, examples, of_others):
    answers = {
        name: value if name == "classes" else np.concatenate([value] * 20)
        for name, value in trial.expected.items()
    }
    many = Trial(trial.serialized * 20, answers, 100)
    report = validate(str(served[1]), many, CONFIG.model_copy(update={"examples": examples}))
    assert report.blessed, report.reasons
    assert {one.signature: one.examples for one in report.parity} == {
        "serving_default": 100,
        "serving_examples": of_others,
        "transformed_labels": of_others,
    }


@pytest.mark.slow
def test_assets_have_to_travel(served, trial, tmp_path):
    broken = shutil.copytree(served[1], tmp_path / "broken")
    (broken / "assets" / "label").unlink()
    report = validate(str(broken), trial, CONFIG)
    check(
        report,
        HAS_OPS,
        r"failed: it cannot be loaded by TensorFlow alone: .*assets/label.*No such file.*",
    )


@pytest.mark.slow
def test_a_file_that_lies_with_the_original_is_out_of_reach(served, trial, tmp_path):
    """A vocabulary that was named by its path does not travel, and works until it is deployed."""
    home = tmp_path / "artifacts"
    home.mkdir()
    (home / "words").write_text("red\nblue\n")
    model, _ = served

    class Reads(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image")])
        def serve(self, image):
            words = tf.strings.split(tf.io.read_file(str(home / "words")), "\n")
            return {**self.model.predict({"image": image}), "first": tf.repeat(words[0], 1)}

    module = Reads()
    module.model = model
    tf.saved_model.save(module, str(home / "model"), signatures={"serving_default": module.serve})
    write_model_info(model.info, str(home / "model"))
    one = CONFIG.model_copy(update={"batch_sizes": [1]})
    report = validate(str(home / "model"), trial, one, [str(home)])
    if not report.original_hidden:
        pytest.skip("this system has no Landlock")
    reason = f"failed: serving_default fails: {re.escape(str(home))}/words; Permission denied.*"
    check(report, HAS_OPS, reason)
    assert validate(str(home / "model"), trial, one).parity


@pytest.mark.slow
def test_weights_that_are_no_numbers_are_refused(export_colours, trial, tmp_path):
    export_colours(tmp_path / "nan", float("nan"))
    reasons = validate(str(tmp_path / "nan"), trial, CONFIG).reasons
    assert "failed: serving_default gives numbers that are not finite with a batch of 1" in reasons
    assert (
        "failed: serving_default gives probabilities that are not finite, for 5 of 5 examples"
        in reasons
    )


ALTERED = {
    "labels in another order": (
        lambda outputs: {
            **outputs,
            "classes": outputs["classes"][:, ::-1],
            "label": tf.where(outputs["label"] == "red", "blue", "red"),
        },
        [
            HAS_OPS,
            ANSWERS,
            "failed: serving_default has its classes in another order than the training path",
            "failed: serving_default labels 5 of 5 eval examples otherwise than the training path",
        ],
    ),
    "other probabilities": (
        lambda outputs: {**outputs, "probabilities": outputs["probabilities"] + 0.01},
        [
            HAS_OPS,
            ANSWERS,
            "failed: serving_default answers 5 eval examples otherwise than the training path, "
            r"by up to 0\.01, at most 0\.0001",
        ],
    ),
    "answers that depend on the others in the batch": (
        lambda outputs: {"probabilities": tf.cumsum(outputs["probabilities"], reverse=True)},
        [
            HAS_OPS,
            "failed: serving_default answers the same example otherwise with a batch of 1, "
            r"by \d[\d.]*, at most 0\.0001",
            "failed: serving_default answers the same example otherwise with a batch of 3, "
            r"by \d[\d.]*, at most 0\.0001",
            "failed: serving_default answers the same example otherwise with a batch of 8, "
            r"by \d[\d.]*, at most 0\.0001",
            "failed: serving_default answers 5 eval examples otherwise than the training path, "
            r"by up to \d[\d.]*, at most 0\.0001",
        ],
    ),
    "batches of some sizes": (
        lambda outputs: {
            name: tf.ensure_shape(tf.reshape(one, [5, *one.shape[1:]]), [5, *one.shape[1:]])
            for name, one in outputs.items()
        },
        [
            HAS_OPS,
            "failed: serving_default fails with a batch of 0: .+",
            "failed: serving_default fails with a batch of 1: .+",
            "failed: serving_default fails with a batch of 3: .+",
            "failed: serving_default fails with a batch of 8: .+",
            r"passed: serving_default answers 5 eval examples as the training path, within .+",
            "failed: a batch of 1 cannot be timed: .+",
            "failed: a batch of 32 cannot be timed: .+",
        ],
    ),
    "nothing that is known": (
        lambda outputs: {"answer": outputs["score"]},
        [
            HAS_OPS,
            ANSWERS,
            "failed: serving_default gives answer, and none of classes, label, label_id, "
            "probabilities, score",
        ],
    ),
    "one row too few": (
        lambda outputs: {"probabilities": outputs["probabilities"][1:]},
        [
            HAS_OPS,
            "failed: serving_default gives 0 rows with a batch of 1",
            "failed: serving_default gives 2 rows with a batch of 3",
            "failed: serving_default gives 7 rows with a batch of 8",
            "failed: serving_default answers 5 eval examples otherwise than the training path, "
            r"by up to inf, at most 0\.0001",
        ],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("alter", "reasons"), ALTERED.values(), ids=ALTERED)
def test_a_model_that_answers_otherwise_is_refused(altered, trial, alter, reasons):
    report = validate(str(altered(alter)), trial, CONFIG)
    check(report, *reasons)


def spin(steps):
    """Keeps a core busy, with stock operations."""

    def alter(outputs):
        _, waste = tf.while_loop(
            lambda step, _: step < steps,
            lambda step, total: (step + 1, total + tf.sin(tf.cast(step, tf.float32))),
            (tf.constant(0, tf.int64), tf.constant(0.0)),
        )
        return {**outputs, "probabilities": outputs["probabilities"] + 0 * waste}

    return alter


@pytest.mark.slow
def test_a_slow_model_is_refused(altered, trial):
    latency = {"batch_1": {"p50_ms": 5, "p95_ms": 5}, "batch_32": {"p50_ms": 60_000}}
    config = ValidateConfig.model_validate({**CONFIG.model_dump(), "latency": latency})
    check(
        validate(str(altered(spin(20_000))), trial, config),
        HAS_OPS,
        ANSWERS,
        r"passed: serving_default answers 5 eval examples as the training path, within .+",
        r"failed: a batch of 1 takes [\d.,]+ ms \(median\), at most 5",
        r"failed: a batch of 1 takes [\d.,]+ ms \(95th percentile\), at most 5",
        r"passed: a batch of 32 takes [\d.,]+ ms \(median\), at most 60,000",
    )


@pytest.mark.slow
def test_a_model_that_hangs_is_refused(altered, trial):
    config = CONFIG.model_copy(update={"timeout_seconds": 25.0})
    check(
        validate(str(altered(spin(10**15))), trial, config),
        HAS_OPS,
        "failed: the process that tried it did not end within 25 s; it was calling serving_default",
    )


@pytest.mark.slow
def test_a_model_that_crashes_is_refused(altered, trial):
    def abort(outputs):
        with tf.control_dependencies([tf.raw_ops.Abort(error_msg="out of luck")]):
            return {name: tf.identity(one) for name, one in outputs.items()}

    check(
        validate(str(altered(abort)), trial, CONFIG),
        HAS_OPS,
        r"failed: the process that tried it crashed \(SIGABRT\) while calling serving_default: .+",
    )


@pytest.mark.slow
def test_python_code_in_a_model_is_refused_and_does_not_run(altered, trial):
    def double(outputs):
        twice = tf.py_function(lambda one: 2 * one, [outputs["probabilities"]], tf.float32)
        return {"probabilities": tf.ensure_shape(twice, [None, 2])}

    check(
        validate(str(altered(double)), trial, CONFIG),
        "failed: TensorFlow Serving 2.16 lacks operations of the model: EagerPyFunc",
        "failed: serving_default fails: .*callback.*",
    )


@pytest.mark.slow
def test_an_operation_that_nobody_knows_is_refused(served, trial, tmp_path):
    broken = shutil.copytree(served[1], tmp_path / "broken")
    graph = broken / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"\x12\x07Softmax", b"\x12\x07Sortmax"))
    check(
        validate(str(broken), trial, CONFIG),
        "failed: TensorFlow Serving 2.16 lacks operations of the model: Sortmax",
        "failed: it cannot be loaded by TensorFlow alone: .*Sortmax.*",
    )


@pytest.mark.slow
def test_a_model_without_the_signature_that_is_served_is_refused(served, trial, tmp_path):
    model, _ = served
    signatures = {"other": model.signatures()["serving_default"]}
    tf.saved_model.save(model, str(tmp_path / "other"), signatures=signatures)
    write_model_info(model.info, str(tmp_path / "other"))
    check(
        validate(str(tmp_path / "other"), trial, CONFIG),
        HAS_OPS,
        "failed: it has no signature serving_default, but other",
        "passed: other answers batches of 0, 1, 3, 8",
        "passed: other answers 5 eval examples as the training path, within .+",
    )


def test_a_folder_that_holds_no_model_is_refused(trial, tmp_path):
    (tmp_path / "saved_model.pb").write_text("no model")
    check(
        validate(str(tmp_path), trial, CONFIG),
        "failed: it is no SavedModel: its saved_model.pb is not there or cannot be read",
    )


def test_a_model_that_is_too_large_is_refused(served):
    config = CONFIG.model_copy(update={"max_size_mb": 0.01})
    check(
        validate(str(served[1]), Trial([], {}, 0), config),
        r"failed: its files take 0\.1 MB, at most 0\.01",
        HAS_OPS,
        "failed: the Trainer left no answers to any of the eval examples to compare with",
    )


@pytest.mark.slow
def test_the_process_imports_nothing_of_ours(served, trial, tmp_path):
    """Not from the folder it starts in, not by PYTHONPATH, and not what is installed."""
    import json

    from components.serving_validator.process import CHILD

    seen, program = tmp_path / "seen.json", tmp_path / "program.py"
    program.write_text(
        "import json, runpy, shutil, sys\n"
        "request = json.load(open(sys.argv[1]))\n"
        f"runpy.run_path({str(CHILD)!r}, run_name='__main__')\n"
        f"shutil.copy(request['result'], {str(seen)!r})\n"
    )
    with spares(1):
        assert validate(str(served[1]), trial, CONFIG, child=program).blessed
    imported = set(json.loads(seen.read_text())["imported"])
    assert "tensorflow" in imported
    ours = {"preprocessing", "trainer", "components", "serving", "pipeline"}
    others = {"tensorflow_transform", "tensorflow_hub", "tfx", "pydantic", "tensorflow_text"}
    assert imported & (ours | others) == set()
