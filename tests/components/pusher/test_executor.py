"""The component: what its inputs bring to the version, and when nothing is pushed."""

import json
import os

import pytest
import tensorflow as tf
from tfx.proto import pusher_pb2
from tfx.types import channel_utils, standard_artifacts
from tfx.utils import json_utils, proto_utils

from components.artifacts import Exports, ModelCard
from components.pusher.component import Pusher
from components.pusher.executor import Executor
from components.pusher.load_check import Loaded
from components.pusher.local_target import list_versions
from components.pusher.manifest import HELD_BACK, DataSpan, read_manifest
from components.pusher.publish import Delivery, publish
from components.pusher.rollback import rollback

CARD = {
    "name": "flowers",
    "run_id": "the run that made the model",
    "config_digest": "sha256:c0ffee",
    "features": [
        {"name": "image", "kind": "image", "digest": "sha256:beef"},
        {"name": "price", "kind": "numeric", "digest": None},
    ],
    "metrics": {"eval": {"accuracy": 0.9}, "test": {"accuracy": 0.8}},
    "data": {
        "fingerprint": "f00d",
        "examples": {"train": 4, "eval": 2},
        "spans": [{"span": 2, "name": "2"}, {"span": 3, "name": "3"}],
    },
}


def artifact(kind, folder):
    made = kind()
    made.uri = str(folder)
    return made


@pytest.fixture
def inputs(colours_model, picture, tmp_path):
    """A blessed model, its card, its exports and its examples."""
    model = tmp_path / "trained"
    model.mkdir()
    os.symlink(colours_model, model / "Format-Serving")
    card, exports, examples = (tmp_path / name for name in ("card", "exports", "examples"))
    for folder in (card, exports / "tflite", examples / "Split-eval"):
        folder.mkdir(parents=True)
    (card / "model_card.md").write_text("# Flowers")
    (card / "model_card.json").write_text(json.dumps(CARD))
    (exports / "report.json").write_text("{}")
    (exports / "tflite" / "model.tflite").write_bytes(b"flat")
    with tf.io.TFRecordWriter(str(examples / "Split-eval" / "data.gz"), "GZIP") as writer:
        for colour in ([255, 0, 0], [0, 0, 255]):
            example = tf.train.Example()
            example.features.feature["image"].bytes_list.value.append(picture(colour))
            writer.write(example.SerializeToString())
    blessing = artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing")
    blessing.set_int_custom_property("blessed", 1)
    spanned = artifact(standard_artifacts.Examples, examples)
    spanned.set_int_custom_property("span", 3)
    return {
        "model": [artifact(standard_artifacts.Model, model)],
        "model_blessing": [blessing],
        "model_card": [artifact(ModelCard, card)],
        "exports": [artifact(Exports, exports)],
        "examples": [spanned],
    }


def execute(inputs, serving, **custom):
    pushed = standard_artifacts.PushedModel()
    filesystem = pusher_pb2.PushDestination.Filesystem(base_directory=str(serving))
    custom = {"keep": 3, "warmup": 8, "examples_signature": "serving_examples"} | custom
    context = Executor.Context(pipeline_run_id="this run")
    Executor(context).Do(
        inputs,
        {"pushed_model": [pushed]},
        {
            "push_destination": proto_utils.proto_to_json(
                pusher_pb2.PushDestination(filesystem=filesystem)
            ),
            "custom_config": json_utils.dumps(custom),
        },
    )
    return pushed


def test_it_is_declared_with_the_stock_inputs_and_more():
    pusher = Pusher(
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory="/srv/model")
        ),
        custom_config={"keep": 3},
        model=channel_utils.as_channel([standard_artifacts.Model()]),
        model_card=channel_utils.as_channel([ModelCard()]),
        exports=None,
    )
    assert set(pusher.inputs) == {"model", "model_card"}
    assert pusher.outputs["pushed_model"].type_name == "PushedModel"
    assert json_utils.loads(pusher.exec_properties["custom_config"]) == {"keep": 3}


@pytest.mark.parametrize("refused", ["model_blessing", "infra_blessing"])
def test_a_model_that_is_not_blessed_is_not_pushed(inputs, serving, refused, tmp_path):
    blessing = artifact(standard_artifacts.InfraBlessing, tmp_path / "infra")
    inputs["infra_blessing"] = [blessing]
    blessing.set_string_custom_property("blessing_status", "INFRA_BLESSED")
    blessing.set_int_custom_property("blessed", 1)
    inputs[refused][0].set_int_custom_property("blessed", 0)
    pushed = execute(inputs, serving)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not serving.exists()


@pytest.mark.slow
def test_a_version_has_the_model_what_came_along_and_where_it_is_from(inputs, serving):
    pushed = execute(inputs, serving)
    (version,) = list_versions(serving)
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == str(version)
    assert pushed.get_string_custom_property("pushed_destination") == f"{serving}/{version}"
    place = serving / str(version)
    assert (place / "model_card.md").read_text() == "# Flowers"
    assert (place / "exports" / "tflite" / "model.tflite").read_bytes() == b"flat"
    assert (place / "exports" / "report.json").exists()
    assert (place / "assets.extra" / "tf_serving_warmup_requests").exists()
    manifest = read_manifest(str(place))
    assert manifest.warmup_requests == 6
    assert manifest.run_id == "this run"
    assert manifest.name == "flowers"
    assert manifest.config_digest == "sha256:c0ffee"
    assert manifest.backbones == {"image": "sha256:beef"}
    assert manifest.metrics == CARD["metrics"]
    assert manifest.data == DataSpan(
        span=3, spans=(2, 3), fingerprint="f00d", examples={"train": 4, "eval": 2}
    )


def test_a_model_that_was_rolled_back_from_is_not_pushed_and_says_why(
    inputs, serving, colours_model, make_model
):
    def unchecked(folder):
        return Loaded(0, 0.0)

    make_model(b"an older model", serving / "7")
    publish(Delivery(str(colours_model)), str(serving), 3, unchecked)
    newest = rollback(str(serving), 7, unchecked).version
    pushed = execute(inputs, serving)
    assert pushed.get_int_custom_property("pushed") == 0
    assert pushed.get_string_custom_property(HELD_BACK) == (
        "this very model was rolled back from; `graft rollback --to` or "
        f"`--set push.again=true` brings it back, and {newest} goes on serving"
    )
    assert list_versions(serving)[-1] == newest
