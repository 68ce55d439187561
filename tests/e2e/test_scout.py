"""Backbones compared on digits, and what a run finds of it."""

import json

import pytest
import yaml

from pipeline.demo import write_demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PER_CLASS = 20


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Twenty pictures of each digit, the demo's backbone, and one that hardly looks."""
    folder = tmp_path_factory.mktemp("digits")
    config = yaml.safe_load(write_demo(folder).read_text())
    for kind in (folder / "pictures").iterdir():
        for surplus in sorted(kind.iterdir())[PER_CLASS:]:
            surplus.unlink()
    config["train"] = {"epochs": 15}
    config["evaluate"]["thresholds"] = {"accuracy": {"min": 0.3}}
    config["validate"] = {"validator": "none"}
    (folder / "digits.yaml").write_text(yaml.safe_dump(config))
    _write_colours(folder / "colours")
    return folder


def _write_colours(folder):
    import tensorflow as tf

    root = tf.Module()
    root.function = tf.function(
        lambda images: tf.reduce_mean(images, axis=[1, 2]) + tf.zeros([1, 3]),
        input_signature=[tf.TensorSpec([None, 32, 32, 3], tf.float32)],
    )
    root.__call__ = root.function
    tf.saved_model.save(root, str(folder))


def test_the_better_backbone_comes_first_and_a_run_computes_no_vector_again(graft, digits):
    done = graft("scout", "digits.yaml", "--backbone", "hub:colours", "--json", cwd=digits)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [one["handle"] for one in found] == ["hub:backbone", "hub:colours"]
    letters, colours = found
    assert letters["value"] > colours["value"] + 0.3
    assert letters["interval"][0] < letters["value"] <= letters["interval"][1]
    assert (letters["width"], colours["width"]) == (128, 3)
    assert (letters["new"], letters["kept"]) == (10 * PER_CLASS, 0)
    assert letters["bytes"] > colours["bytes"] > 0
    assert letters["seconds_per_1000"] > 0

    again = graft("scout", "digits.yaml", "--json", cwd=digits)
    assert again.code == 0, again.err
    (letters,) = json.loads(again.out)
    assert (letters["new"], letters["kept"]) == (0, 10 * PER_CLASS)

    result = graft("run", "digits.yaml", "--json", cwd=digits)
    assert result.code == 0, result.err
    states = result.states
    assert {states[name] for name in ("ExampleGen", "Transform", "Embedder")} == {"cached"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--feature", "picture"], "No feature of this name has a backbone\n  Received: 'picture'"),
        (["--backbone", "hubs:colours"], "'hubs:colours'"),
        (["--set", "workdir=nowhere://graft"], "workdir: "),
    ],
)
def test_mistakes_are_answered_at_once(graft, digits, arguments, said):
    result = graft("scout", "digits.yaml", *arguments, cwd=digits)
    assert result.code == 2
    assert said in result.err
    assert "Traceback" not in result.err
