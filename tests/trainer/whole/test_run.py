"""What the stock Trainer's call leaves behind, and what a later one makes of it."""

import hashlib
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.run import run_fn

CALIBRATED = re.compile(
    r"Temperature \d+\.\d{3}, fitted on eval: cross entropy (\d\.\d{4}) before, "
    r"(\d\.\d{4}) after \(train\.calibrate\)\."
)
BARELY = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-5}


@pytest.fixture(scope="module")
def run(world, tmp_path_factory):
    def run(base_model=None, values=None, **train):
        folder = tmp_path_factory.mktemp("run")
        config = world.config(**train).model_dump(mode="json")
        run_fn(
            FnArgs(
                train_files=world.patterns("train"),
                eval_files=world.patterns("eval"),
                transform_output=world.transform_graph,
                serving_model_dir=str(folder / "model"),
                model_run_dir=str(folder / "run"),
                base_model=base_model and str(base_model / "model"),
                hyperparameters=values and {"values": values},
                custom_config={"trainer": config, "checkpoints": str(folder / "checkpoints")},
            )
        )
        return folder

    return run


def read(folder, name):
    return json.loads((folder / "run" / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def first(run):
    return run(values={"epochs": 2, "head.hidden": "[]"}, warm_start=True)


def test_the_tuners_values_replace_the_configs(first):
    origin = json.loads((first / "model" / "assets.extra" / "head.json").read_text())
    assert [len(one) for one in read(first, "history").values()] == [2] * 4
    assert {"logits/kernel", "logits/bias"} < set(origin["variables"])
    assert not any("hidden" in name for name in origin["variables"])


def test_nothing_is_left_of_the_checkpoints(first):
    assert list((first / "checkpoints").iterdir()) == []


def test_a_warm_start_begins_where_the_last_model_ended(first, run):
    assert read(first, "notes") == [
        "The head starts cold: there is no blessed model yet (train.warm_start)."
    ]
    again = run(first, head={"hidden": []}, warm_start=True)
    assert read(again, "notes") == ["The head starts from the last blessed model."]
    ended = min(read(first, "history")["eval_loss"])
    assert read(again, "history")["eval_loss"][0] == pytest.approx(ended, abs=0.05)
    assert ended < np.log(2) - 0.1


def test_a_calibrated_model_says_what_it_is_worth_and_can_be_started_from(first, run, world):
    calibrated = run(first, head={"hidden": []}, warm_start=True, calibrate="temperature")
    start, note = read(calibrated, "notes")
    assert start == "The head starts from the last blessed model."
    before, after = CALIBRATED.fullmatch(note).groups()
    assert float(after) <= float(before)
    _assert_predictions_are_served(world, calibrated)
    again = run(calibrated, head={"hidden": []}, warm_start=True)
    assert read(again, "notes") == ["The head starts from the last blessed model."]


@pytest.mark.slow
def test_a_fine_tuned_model_is_calibrated_with_its_own_backbones(run, world):
    # So short that some of eval stay wrong: the temperature has a bound only then.
    tuned = run(mode="fine_tune", calibrate="temperature", fine_tune=BARELY)
    (note,) = read(tuned, "notes")
    _, after = CALIBRATED.fullmatch(note).groups()
    assert float(after) == pytest.approx(_cross_entropy(world, tuned / "model"), abs=1e-3)
    _assert_predictions_are_served(world, tuned)


def _assert_predictions_are_served(world, folder):
    """What the training path says of eval stands beside the model, and the model says it too."""
    with np.load(folder / "run" / "eval_predictions.npz") as arrays:
        noted = dict(arrays)
    examples, outputs, labels = _answers(world, folder / "model")
    keys = [hashlib.sha256(one).hexdigest().encode() for one in examples.numpy()]
    assert noted["examples"].tolist() == keys
    assert noted["label"].tolist() == outputs["label"].numpy().tolist()
    assert noted["classes"].tolist() == outputs["classes"].numpy()[:1].tolist()
    assert noted["label_id"].tolist() == labels.tolist()
    for name in ("probabilities", "score"):
        np.testing.assert_allclose(noted[name], outputs[name], atol=1e-5)


def _answers(world, model):
    loaded = tf.saved_model.load(str(model))
    files = tf.io.gfile.glob(str(world.folder / "examples" / "Split-eval" / "*"))
    examples = tf.constant(list(tf.data.TFRecordDataset(files).as_numpy_iterator()))
    outputs = loaded.signatures["serving_examples"](examples=examples)
    labels = loaded.signatures["transformed_labels"](examples=examples)["label_id"].numpy()
    return examples, outputs, labels


def _cross_entropy(world, model):
    """Of what the exported model says about the eval split."""
    _, outputs, labels = _answers(world, model)
    right = outputs["probabilities"].numpy()[np.arange(len(labels)), labels]
    return -np.log(right).mean()


@pytest.mark.slow
def test_a_fine_tuned_model_goes_on_with_its_backbones(run):
    tuned = run(mode="fine_tune", warm_start=True)
    # Steps so small that the first epoch ends where the last training did.
    again = run(tuned, mode="fine_tune", warm_start=True, fine_tune=BARELY)
    assert read(again, "notes") == ["Head and backbones start from the last blessed model."]
    # Three epochs of the head and four of both; then one of both alone.
    assert len(read(tuned, "history")["eval_loss"]) == 7
    first, best = (pick(read(tuned, "history")["eval_loss"]) for pick in (max, min))
    (loss,) = read(again, "history")["eval_loss"]
    assert loss == pytest.approx(best, abs=0.1 * (first - best))
    frozen = run(tuned, warm_start=True)
    assert read(frozen, "notes") == [
        "The head starts cold: the last blessed model does not fit, for its backbones are "
        "fine-tuned, and train.mode is frozen (train.warm_start)."
    ]
