"""Data in spans on a platform: which is the last one, each run may say."""

import json

import pytest

from pipeline.kubeflow.parameters import find_parameters
from pipeline.kubeflow.values import with_values
from tests.pipeline.kubeflow.deployed import load

SPANS = ("data.source.path=gs://acme/flowers/{SPAN}", "data.spans.last=3")


def test_the_last_span_is_a_parameter_where_the_data_has_spans(tmp_path):
    def default(*overrides):
        found = {one.name: one.default for one in find_parameters(load(tmp_path, *overrides))}
        return found.get("span")

    assert default() is None
    assert default(*SPANS) == ""
    assert default(*SPANS, "data.spans.to=7") == "7"
    given = with_values(find_parameters(load(tmp_path, *SPANS)), {"span": "8"})
    assert {one.name: one.default for one in given}["span"] == "8"


@pytest.mark.parametrize("source", ["image_folder", "tfrecord"])
def test_data_is_looked_for_when_the_task_runs(tmp_path, source):
    from pipeline.dag import build_pipeline

    config = load(tmp_path, *SPANS, f"data.source.kind={source}")
    node = _example_gen(build_pipeline(config, {}, cache=True, target="kubeflow"))
    properties = node.exec_properties
    assert properties["window"] == properties["fingerprint"] == ""
    # Where `--lay_over span=config:spans.to` finds its place.
    spans = json.loads(properties["config"])["spans"]
    assert spans == {"last": 3, "from": None, "to": None}
    assert properties["store"] == "gs://acme/pipelines/spans/flowers"
    assert node.split_names == ("train", "eval", "test")


def _example_gen(pipeline):
    return next(node for node in pipeline.components if node.id == "ExampleGen")


def test_an_empty_span_is_the_newest_whatever_the_config_says(tmp_path):
    from pipeline.kubeflow.compile import build_spec

    config = load(tmp_path, *SPANS, "data.spans.to=7")
    parameters = find_parameters(config)
    spec = build_spec(config, config.deploy, "kubeflow", {}, parameters)[0]
    assert spec["root"]["inputDefinitions"]["parameters"]["span"]["defaultValue"] == "7"
    told = spec["root"]["dag"]["tasks"]["ExampleGen"]["inputs"]["parameters"]["config"]
    assert json.loads(told["runtimeValue"]["constant"])["spans"]["to"] is None
