"""Three spans of digits that arrive one after another, in a window of two."""

import json
import shutil

import pytest
import yaml

from pipeline.demo import write_demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PER_CLASS = 20
# A digit that no picture shows at first.
NEW_CLASS = "9"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The demo's pictures and backbone, and a config that takes the last two spans."""
    folder = tmp_path_factory.mktemp("digits")
    config = yaml.safe_load(write_demo(folder).read_text())
    config["data"] = {
        "source": {"kind": "image_folder", "path": "spans/{SPAN:2}"},
        "spans": {"last": 2},
    }
    config["evaluate"]["thresholds"] = {"accuracy": {"min": 0.5}}
    config["train"] = {"epochs": 15}
    config["validate"] = {"validator": "none"}
    (folder / "digits.yaml").write_text(yaml.safe_dump(config))
    return folder


def arrive(digits, span, classes):
    """A span appears whole, as a folder that is renamed."""
    staged = digits / "spans" / f"{span:02d}.partial"
    for label in classes:
        pictures = sorted((digits / "pictures" / label).iterdir())
        (staged / label).mkdir(parents=True)
        for path in pictures[span * PER_CLASS : (span + 1) * PER_CLASS]:
            shutil.copy(path, staged / label)
    staged.rename(digits / "spans" / f"{span:02d}")


def test_each_span_is_read_and_embedded_once_while_the_window_moves(graft, digits):
    old = [str(digit) for digit in range(9)]
    sizes, seen = {}, {}
    for span, classes in enumerate((old, old, [*old[1:], NEW_CLASS])):
        arrive(digits, span, classes)
        sizes[str(span)] = PER_CLASS * len(classes)
        result = graft("run", "digits.yaml", "--json", cwd=digits)
        assert result.code == 0, result.err
        summary = result.summary
        window = {one["name"]: one["state"] for one in summary["spans"]}
        assert window == ({str(span - 1): "kept"} if span else {}) | {str(span): "new"}
        assert sum(summary["examples"].values()) == sum(sizes[name] for name in window)
        vectors = summary["vectors"]["image"]
        assert vectors["new"] + vectors["duplicates"] == sizes[str(span)]
        assert vectors["kept"] == (sizes[str(span - 1)] if span else 0)
        version = digits / "serving" / "digits" / str(summary["pushed"]["version"])
        manifest = json.loads((version / "manifest.json").read_text())
        assert manifest["data"]["span"] == span
        assert manifest["data"]["spans"] == [int(name) for name in window]
        _check_splits(digits, seen)

    # The newest model knows the class that came, and none that is in neither span.
    assert {one["name"] for one in summary["classes"]["eval"]} == {*old, NEW_CLASS}
    nothing = graft("run", "digits.yaml", cwd=digits)
    assert nothing.code == 0, nothing.err
    assert "1, 2 kept from earlier runs; nothing new" in nothing.out
    newest = max((digits / ".graft" / "runs").iterdir())
    components = json.loads((newest / "summary.json").read_text())["components"]
    anew = {one["name"] for one in components if one["state"] == "run"}
    assert anew <= {"Backbones", "Baseline", "Evaluator", "ModelCard", "Pusher"}


def _check_splits(digits, seen):
    """No example is ever in another split than before."""
    import tensorflow as tf

    artifacts = digits / ".graft" / "artifacts" / "ExampleGen" / "examples"
    newest = max(artifacts.iterdir(), key=lambda path: int(path.name))
    for split in newest.glob("Split-*"):
        for record in tf.data.TFRecordDataset([str(path) for path in split.iterdir()]):
            features = tf.train.Example.FromString(record.numpy()).features.feature
            source = features["source"].bytes_list.value[0].decode()
            assert seen.setdefault(source, split.name) == split.name
