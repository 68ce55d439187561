"""One number makes probabilities mean what they say, and every signature divides by it."""

import json
import math

import numpy as np
import pytest
import tensorflow as tf

from trainer.calibrate import fit_temperature
from trainer.tasks.registry import TASKS


def draw(task, examples=20_000, classes=3):
    """Logits, and labels drawn with the very probabilities that these stand for."""
    random = np.random.default_rng(5)
    logits = 2 * random.normal(size=[examples, 1 if task == "binary" else classes])
    if task == "multiclass":
        noise = random.gumbel(size=logits.shape)
        return logits, np.argmax(logits + noise, axis=1)
    drawn = random.random(logits.shape) < 1 / (1 + np.exp(-logits))
    return logits, drawn[:, 0].astype(np.int64) if task == "binary" else drawn.astype(np.float32)


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel"])
@pytest.mark.parametrize("stretched", [0.5, 1.0, 3.0])
def test_what_logits_were_stretched_by_is_found_again(task, stretched):
    logits, labels = draw(task)
    fitted = fit_temperature(stretched * logits, labels, TASKS[task])
    assert fitted.temperature == pytest.approx(stretched, rel=0.05)
    assert fitted.after <= fitted.before + 1e-9
    assert fitted.after == pytest.approx(fit_temperature(logits, labels, TASKS[task]).after)


@pytest.mark.parametrize("sign", [1, -1])
def test_logits_that_are_always_right_or_never_are_left_as_they_are(sign):
    logits = sign * np.array([[3.0, -3.0], [-3.0, 3.0]])
    fitted = fit_temperature(logits, np.array([0, 1]), TASKS["multiclass"])
    assert (fitted.temperature, fitted.before) == (1.0, fitted.after)
    assert fitted.note == (
        "The temperature stays 1: the eval split fits ever better towards one end, as when all "
        "of it is right (train.calibrate)."
    )


def test_without_examples_nothing_changes():
    fitted = fit_temperature(np.zeros([0, 2]), np.zeros([0], np.int64), TASKS["multiclass"])
    assert fitted.temperature == 1.0


def test_the_note_says_what_it_is_worth():
    logits = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])
    fitted = fit_temperature(logits, np.array([0, 1, 1, 1]), TASKS["multiclass"])
    # Three of four are right, so that the best logit is the one of 0.75.
    assert fitted.temperature == pytest.approx(2 / math.log(3), rel=1e-3)
    assert fitted.note == (
        "Temperature 1.820, fitted on eval: cross entropy 0.6269 before, 0.5623 after "
        "(train.calibrate)."
    )


def test_every_signature_divides_by_it_and_the_labels_stay(export_colours, picture, tmp_path):
    plain = export_colours(tmp_path / "plain", sharpness=3.0)
    export_colours(tmp_path / "warm", sharpness=3.0, temperature=2.0)
    pictures = tf.constant([picture([255, 0, 0]), picture([40, 10, 90])])
    expected = plain.predict({"image": pictures})
    logits = np.log(expected["probabilities"].numpy())
    loaded = tf.saved_model.load(str(tmp_path / "warm"))
    examples = [
        tf.train.Example(
            features=tf.train.Features(
                feature={"image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[one]))}
            )
        ).SerializeToString()
        for one in pictures.numpy()
    ]
    for outputs in (
        loaded.signatures["serving_default"](image=pictures),
        loaded.signatures["serving_examples"](examples=tf.constant(examples)),
    ):
        np.testing.assert_allclose(outputs["probabilities"], tf.nn.softmax(logits / 2), rtol=1e-5)
        assert outputs["label"].numpy().tolist() == expected["label"].numpy().tolist()
    info = json.loads((tmp_path / "warm" / "assets.extra" / "model.json").read_text())
    assert info["temperature"] == 2.0
