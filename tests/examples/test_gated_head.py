"""The worked example of a head of one's own learns, and is served without its file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import HeadConfig, TrainConfig
from trainer.fit import fit_head
from trainer.head_inputs import HeadInput
from trainer.heads import build_head
from trainer.tasks.registry import TASKS

HEADS = Path(__file__).parents[2] / "examples" / "heads"
INPUTS = {
    "image": HeadInput(kind="vector", width=6),
    "image_missing": HeadInput(kind="missing", width=1),
    "name": HeadInput(kind="vector", width=8),
}
_LOAD = """
import sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
given = {name: tf.constant(value) for name, value in np.load(sys.argv[2]).items()}
np.save(sys.argv[3], model.predict(given))
"""


def examples(count, seed):
    """The class shows in the picture, or where that is missing in the name."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    missing = (np.arange(count) // 3 % 2).astype(np.float32)[:, None]
    shown = np.eye(3, dtype=np.float32)[labels]
    image = random.normal(size=[count, 6]).astype(np.float32) * 0.3
    name = random.normal(size=[count, 8]).astype(np.float32) * 0.3
    image[:, :3] += shown
    image *= 1 - missing
    name[:, :3] += shown * missing
    return {"image": image, "image_missing": missing, "name": name}, labels


def of(inputs, labels):
    return tf.data.Dataset.from_tensor_slices((inputs, labels))


@pytest.mark.slow
def test_it_learns_from_either_feature_and_is_served_without_its_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(HEADS))
    config = TrainConfig(
        epochs=10,
        learning_rate=0.01,
        head=HeadConfig(function="gated:build", arguments={"width": 16}),
    )
    head = build_head(config.head, INPUTS, 3)
    train, evaluation = of(*examples(240, 1)), of(*examples(60, 2))
    fit_head(head, train, evaluation, TASKS["multiclass"], config, str(tmp_path / "logs"))

    inputs, labels = examples(300, 3)
    logits = head.predict(inputs, verbose=0)
    for missing in (0, 1):
        chosen = inputs["image_missing"][:, 0] == missing
        assert np.mean(logits[chosen].argmax(axis=-1) == labels[chosen]) > 0.8

    # As ServedModel does: variables are tracked, the model is traced.
    module = tf.Module()
    module.variables_of_the_head = head.variables
    spec = {name: tf.TensorSpec([None, one.width], name=name) for name, one in INPUTS.items()}
    module.predict = tf.function(
        lambda given: head(given, training=False), input_signature=[spec], autograph=False
    )
    tf.saved_model.save(module, str(tmp_path / "model"))
    np.savez(tmp_path / "inputs.npz", **inputs)
    paths = [str(tmp_path / name) for name in ("model", "inputs.npz", "logits.npy")]
    subprocess.run([sys.executable, "-c", _LOAD, *paths], check=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(paths[-1]), logits, rtol=1e-4, atol=1e-4)
