"""The pipeline's nodes: which there are for each kind of source, wired how."""

import io
import json

import pytest
from PIL import Image

from components.embedder.config import StoreSettings, read_settings
from pipeline.config import load_config
from preprocessing.errors import ConfigError, DataError
from preprocessing.inputs import ImageInput

AFTER = [
    "StatisticsGen",
    "ImportSchemaGen",
    "ExampleValidator",
    "Transform",
    "Embedder",
    "Trainer",
    "Baseline",
    "Evaluator",
    "ModelCard",
    "ServingValidator",
]


@pytest.fixture
def build(tmp_path):
    """Builds the pipeline of `data.source` and further lines of YAML."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "all.tfrecord")) as writer:
        writer.write(b"whatever")
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    for name in ("pictures/a/1.png", "pictures/b/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(buffer.getvalue())

    def build(source: str, more: str = "", cache: bool = True):
        from pipeline.dag import build_pipeline
        from trainer.backbones.record import Backbone

        path = tmp_path / "graft.yaml"
        path.write_text(
            "name: records\n"
            f"data:\n  source: {source}\n{more}"
            "features: {image: {kind: image, backbone: keras:MobileNetV2}}\n"
        )
        backbone = Backbone(
            input=ImageInput(height=96, width=96, input_range=(-1, 1)),
            feature_width=1280,
            handle="keras:MobileNetV2",
            kind="keras",
            digest="sha256:" + "0" * 64,
            path=str(tmp_path),
        )
        return build_pipeline(load_config(path), {"image": backbone}, cache=cache)

    return build


def _ids(built) -> list[str]:
    return [node.id for node in built.components]


def test_records_of_others_are_imported_and_screened(build):
    built = build("{kind: tfrecord, path: all.tfrecord}")
    assert sorted(_ids(built)) == sorted(
        ["ImportExampleGen", "ExampleGen", *AFTER, "TestEvaluator"]
    )
    nodes = {node.id: node for node in built.components}
    assert [one.id for one in nodes["ImportExampleGen"].downstream_nodes] == ["ExampleGen"]
    assert {one.id for one in nodes["ExampleGen"].downstream_nodes} == {
        "StatisticsGen",
        "Transform",
        "Embedder",
        "Evaluator",
        "TestEvaluator",
        "ServingValidator",
        "ModelCard",
    }


def test_pictures_are_read_by_one_node(build):
    built = build("{kind: image_folder, path: pictures}")
    assert sorted(_ids(built)) == sorted(["ExampleGen", *AFTER, "TestEvaluator"])


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("{kind: tfrecord, path: {train: all.tfrecord, eval: all.tfrecord}}", ""),
        ("{kind: tfrecord, path: all.tfrecord}", "  splits: {test: 0}\n"),
    ],
)
def test_without_a_test_split_nothing_waits_for_one(build, source, more):
    assert "TestEvaluator" not in _ids(build(source, more))


def test_a_changed_line_of_the_users_head_is_seen_by_the_trainers_cache(build, tmp_path):
    def trainer():
        source = "{kind: image_folder, path: pictures}"
        nodes = build(source, "train: {head: {function: heads:build}}\n").components
        return {node.id: node for node in nodes}["Trainer"].exec_properties["custom_config"]

    (tmp_path / "heads.py").write_text("def build(inputs, units): ...\n")
    before = trainer()
    assert trainer() == before
    (tmp_path / "heads.py").write_text("def build(inputs, units): ...  # Another line.\n")
    assert trainer() != before


def test_mistakes_in_the_files_show_before_anything_runs(build):
    with pytest.raises(DataError, match="there is no such file"):
        build("{kind: tfrecord, path: nothing-*.tfrecord}")


def test_splits_without_eval_are_a_mistake_in_the_config(build):
    with pytest.raises(ConfigError) as error:
        build("{kind: tfrecord, path: {train: all.tfrecord, test: all.tfrecord}}")
    assert str(error.value) == (
        "graft.yaml, line 3: data.source: path must name train and eval where it names splits; "
        "test may be left out\n"
        "  Received: ['train', 'test']\n"
        "  Valid: train, eval, test"
    )


def _upstream(built, node: str) -> set[str]:
    return {one.id for one in next(n for n in built.components if n.id == node).upstream_nodes}


def _custom_config(built, node: str) -> dict:
    found = next(n for n in built.components if n.id == node)
    return json.loads(found.exec_properties["custom_config"])


def test_a_tuner_stands_before_the_trainer_only_where_it_is_asked_for(build):
    plain = build("{kind: image_folder, path: pictures}")
    assert _upstream(plain, "Trainer") == {"Embedder", "Transform"}
    tuned = build("{kind: image_folder, path: pictures}", "tune: {trials: 3}\n")
    assert set(_ids(tuned)) - set(_ids(plain)) == {"Tuner"}
    assert _upstream(tuned, "Trainer") == {"Embedder", "Transform", "Tuner"}
    assert _upstream(tuned, "Tuner") == {"Embedder", "Transform"}
    assert _custom_config(tuned, "Tuner")["tuner"]["trials"] == 3


def test_the_trainer_looks_at_the_blessed_model_only_for_a_warm_start(build):
    warm = build("{kind: image_folder, path: pictures}", "train: {warm_start: true}\n")
    assert _upstream(warm, "Trainer") == {"Embedder", "Transform", "Baseline"}
    judged_by = {"ExampleGen", "Trainer", "Baseline", "ServingValidator"}
    assert _upstream(warm, "Evaluator") == judged_by


def test_checkpoints_lie_in_the_workdir_and_not_in_what_tfx_deletes(build, tmp_path):
    custom = _custom_config(build("{kind: image_folder, path: pictures}"), "Trainer")
    assert custom["checkpoints"] == str(tmp_path / ".graft" / "checkpoints")


def test_where_vectors_are_kept_is_no_reason_to_embed_anew(build, tmp_path):
    def embedder(more="", **how):
        nodes = build("{kind: image_folder, path: pictures}", more, **how).components
        properties = {node.id: node for node in nodes}["Embedder"].exec_properties
        return properties, read_settings(properties["store"])

    plain, settings = embedder()
    assert settings == StoreSettings(path=str(tmp_path / ".graft" / "features"), max_bytes=10e9)
    shared, settings = embedder("cache: {features: ../shared, max_gb: 0.5}\n")
    assert settings == StoreSettings(path=str(tmp_path.parent / "shared"), max_bytes=0.5e9)
    assert shared == plain
    for nothing in (embedder("cache: {max_gb: 0}\n"), embedder(cache=False)):
        assert nothing == (plain, StoreSettings())


@pytest.mark.parametrize("more", ["", "push: {path: serving}\n"])
def test_the_compiler_takes_every_nodes_settings(build, more):
    from tfx.dsl.compiler import compiler

    built = build("{kind: image_folder, path: pictures}", more)
    compiled = compiler.Compiler().compile(built)
    assert len(compiled.nodes) == len(built.components)
