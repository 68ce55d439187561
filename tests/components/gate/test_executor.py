"""The real Evaluator judges a candidate beside baselines that are whole, and that are broken."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components.gate.config import EvaluateConfig, GateConfig
from components.gate.eval_config import build_eval_config
from components.gate.executor import Executor
from components.gate.results import read_report
from preprocessing.config import LabelConfig

pytestmark = pytest.mark.slow
SIGNATURES = ("serving_examples", "transformed_labels")


def artifact(kind, folder, number, **properties):
    made = kind()
    made.uri, made.id = str(folder), number
    for name, value in properties.items():
        setattr(made, name, value)
    folder.mkdir(exist_ok=True)
    return made


@pytest.fixture
def run(tmp_path, echo, example):
    """Judges a candidate that tells 30 of 40 examples rightly."""
    truth = np.arange(40) % 2
    right = np.where(np.arange(40) < 30, truth, 1 - truth)
    rows = np.stack([1 - 0.8 * right - 0.1, 0.8 * right + 0.1], axis=1).astype(np.float32)
    split = tmp_path / "examples" / "Split-eval"
    split.mkdir(parents=True)
    # As ExampleGen writes them.
    with tf.io.TFRecordWriter(str(split / "data_tfrecord-00000-of-00001")) as writer:
        for p, y, number in zip(rows, truth, range(40), strict=True):
            writer.write(example(p, y, source="ab"[number >= 30]))
    echo("multiclass", 2).save(tmp_path / "candidate" / "Format-Serving")

    def run(baseline=None, rebaseline=False, label=None, **evaluate):
        label = label or LabelConfig()
        evaluate = EvaluateConfig.model_validate(evaluate)
        inputs = {
            "examples": [
                artifact(
                    standard_artifacts.Examples,
                    tmp_path / "examples",
                    1,
                    split_names='["eval"]',
                )
            ],
            "model": [artifact(standard_artifacts.Model, tmp_path / "candidate", 2)],
        }
        if baseline:
            inputs["baseline_model"] = [artifact(standard_artifacts.Model, baseline, 3)]
        (blessing,) = outputs = [artifact(standard_artifacts.ModelBlessing, tmp_path / "out_b", 4)]
        evaluation = artifact(standard_artifacts.ModelEvaluation, tmp_path / "out_e", 5)
        gate = GateConfig(
            evaluate=evaluate, label=label, signatures=SIGNATURES, rebaseline=rebaseline
        )
        config = build_eval_config(evaluate, label, "label_id", SIGNATURES[0], gate=True)
        context = base_beam_executor.BaseBeamExecutor.Context(
            beam_pipeline_args=["--runner=FnApiRunner"], tmp_dir=str(tmp_path / "tmp")
        )
        Executor(context).Do(
            inputs,
            {"evaluation": [evaluation], "blessing": outputs},
            {
                "eval_config": proto_utils.proto_to_json(config),
                "example_splits": json_utils.dumps(["eval"]),
                "gate": gate.model_dump_json(),
            },
        )
        report = read_report(evaluation.uri)
        assert blessing.get_int_custom_property("blessed") == int(report.blessed)
        assert blessing.get_int_custom_property("current_model_id") == 2
        # What has no folder, TFX does not take from its cache.
        assert (tmp_path / "out_b").exists() == (report.baseline.state != "unusable")
        return report

    return run


@pytest.fixture
def baseline(tmp_path, echo):
    """Saves one that says the same as the candidate."""

    def save(width=2, **options):
        labels = options.pop("labels", "transformed_labels")
        folder = tmp_path / "baseline"
        echo("multiclass", width, **options).save(folder / "Format-Serving", labels)
        return folder

    return save


def model_of(folder):
    return folder / "Format-Serving"


def test_a_first_run_with_slices_is_judged_slice_by_slice(run):
    report = run(
        thresholds={"accuracy": {"min": 0.7}},
        slices=[["source"], ["source", "group"]],
        slice_thresholds={"accuracy": {"min": 0.7}},
        min_slice_examples=11,
    )
    assert report.blessed
    whole, *slices = report.judgements
    assert (whole.value, whole.examples) == (0.75, 40)
    # Wilson's, of 30 of 40.
    assert whole.interval == pytest.approx((0.5981, 0.8581), abs=1e-4)
    assert [(one.slice, one.value) for one in slices] == [
        ({"source": "a"}, 1.0),
        ({"group": "high", "source": "a"}, 1.0),
        ({"group": "low", "source": "a"}, 1.0),
    ]
    # Ten examples of b, none of which is right.
    assert [one.slice["source"] for one in report.small] == ["b", "b", "b"]
    assert {one.metrics["accuracy"] for one in report.small} == {0.0}


def test_a_slice_that_fails_refuses_the_model(run):
    report = run(
        thresholds={"accuracy": {"min": 0.7}},
        slices=[["source"]],
        slice_thresholds={"accuracy": {"min": 0.5}},
        min_slice_examples=10,
    )
    assert not report.blessed
    assert report.reasons[1:] == (
        "failed: accuracy 0.0000 on source = b (10), at least 0.5 (95 %: 0.0000 to 0.2775)",
        "passed: accuracy on 1 of 2 slices, at least 0.5",
    )


def test_a_whole_baseline_is_compared_with(run, baseline):
    report = run(baseline(shift=0.05))
    assert report.blessed
    (only,) = report.judgements
    assert only.baseline == 0.75
    assert report.baseline.state == "compared"
    assert str(only).startswith(
        "passed: accuracy 0.7500, at most 0.01 below the last blessed model's 0.7500"
    )


def test_a_baseline_of_other_classes_is_compared_with_all_the_same(run, baseline, tmp_path, echo):
    folder = baseline(shift=0.0)
    shutil.rmtree(model_of(folder))

    class Wider(echo):
        """Knows a third class."""

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve(self, examples):
            p = tf.io.parse_example(examples, self.columns)["p"] * self.weight
            return {"probabilities": tf.pad(p, [[0, 0], [0, 1]])}

    Wider("multiclass", 2).save(model_of(folder))
    report = run(folder, thresholds={"ece": {"no_worse_than_baseline_by": 0.0}, "auc": {"min": 0}})
    assert report.baseline.state == "compared"
    assert report.blessed


def test_set_aside_it_is_not_even_loaded(run, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    report = run(gone, rebaseline=True)
    assert report.blessed
    assert report.baseline.state == "set aside"


def _gone(folder):
    shutil.rmtree(model_of(folder))


def _truncated(folder):
    path = model_of(folder) / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-100])


def _with_an_op_of_elsewhere(folder):
    path = model_of(folder) / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            node.op = "TokenizeFromElsewhere" if node.op == "AsString" else node.op
    path.write_bytes(saved.SerializeToString())


@pytest.mark.parametrize(
    ("breakage", "reason"),
    [
        (_gone, "its folder is gone"),
        (_truncated, "it cannot be loaded: "),
        (_with_an_op_of_elsewhere, "it cannot be loaded: "),
    ],
)
def test_one_that_is_broken_is_a_stated_reason_and_blesses_nothing(run, baseline, breakage, reason):
    folder = baseline()
    breakage(folder)
    report = run(folder)
    assert not report.blessed
    assert report.baseline.state == "unusable"
    assert report.baseline.reason.startswith(reason)
    assert report.reasons == (
        "failed: accuracy 0.7500, at most 0.01 below the last blessed model: "
        "it cannot be compared with",
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            {"labels": "other_labels"},
            "it has no signature 'transformed_labels', only ['other_labels', 'serving_examples']",
        ),
        ({"column": "q"}, "its signature 'serving_examples' does not take these examples: "),
    ],
)
def test_one_that_takes_other_examples_is_too(run, baseline, options, reason):
    report = run(baseline(**options), thresholds={"accuracy": {"min": 0.7}})
    assert report.baseline.reason.startswith(reason)
    # No threshold compares, so none needs it.
    assert report.blessed


def test_a_broken_candidate_fails_the_run_whatever_the_baseline(run, baseline, tmp_path):
    folder = baseline()
    _truncated(tmp_path / "candidate")
    with pytest.raises(OSError, match="SavedModel"):
        run(folder)
