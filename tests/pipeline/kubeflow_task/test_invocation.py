"""What Kubeflow Pipelines leaves out is put back, what it adds is taken away."""

import copy

import pytest

from pipeline.kubeflow_task.invocation import ABSENT, AT, complete, restore, take_over

MODEL = {"instanceSchema": "title: tfx.Model\ntype: object\n"}
CARD = {"instanceSchema": "title: components.ModelCard\n"}
SPEC = {"artifacts": {"model": {"artifactType": MODEL}, "card": {"artifactType": CARD}}}


def artifacts(*each):
    return {"artifacts": list(each)}


def invocation(inputs=None, outputs=None):
    return {
        "inputs": {"artifacts": inputs or {}, "parameterValues": {"epochs": 3}},
        "outputs": {"artifacts": outputs or {}, "outputFile": "/tmp/out.json"},
    }


@pytest.mark.parametrize("blank", [{}, {"type": {}}, {"type": {"schemaTitle": "system.Artifact"}}])
def test_inputs_get_the_types_that_the_task_was_compiled_with(blank):
    told = invocation({"model": artifacts({"name": "7", "uri": "gs://b/m", **blank})})
    before = copy.deepcopy(told)
    made = complete(told, SPEC)["inputs"]
    assert made["artifacts"]["model"] == artifacts({"name": "7", "uri": "gs://b/m", "type": MODEL})
    assert made["parameterValues"] == {"epochs": 3}
    assert told == before


def test_without_a_spec_an_input_keeps_its_type():
    one = {"uri": "gs://b/m", "type": CARD}
    assert complete(invocation({"x": artifacts(one)}), {})["inputs"]["artifacts"]["x"] == artifacts(
        one
    )


@pytest.mark.parametrize("kind", [{}, {"type": {"schemaTitle": "system.Artifact"}}])
def test_an_input_that_tfx_was_not_compiled_with_was_only_to_be_copied(kind):
    told = invocation(
        {"raw_examples": artifacts({"uri": "s3://b/1", **kind}), "model": artifacts()}
    )
    assert complete(told, SPEC)["inputs"]["artifacts"] == {"model": artifacts()}


def test_the_logs_of_the_launcher_are_no_output():
    kept = {"uri": "gs://b/r/model", "type": MODEL}
    logs = {"uri": "gs://b/r/executor-logs", "type": {"schemaTitle": "system.Artifact"}}
    told = invocation(outputs={"model": artifacts(kept), "executor-logs": artifacts(logs)})
    assert complete(told, {})["outputs"]["artifacts"] == {"model": artifacts(kept)}


def test_an_artifact_that_stands_for_none_is_no_input():
    absent = {"uri": "gs://b/r/model", "metadata": {ABSENT: 1.0}}
    told = invocation({"model": artifacts(absent)})
    assert complete(told, SPEC)["inputs"]["artifacts"] == {"model": artifacts()}


def test_an_artifact_that_stands_for_another_is_where_that_is():
    told = invocation({"model": artifacts({"uri": "gs://b/2/model", "metadata": {AT: "s3://b/1"}})})
    (model,) = complete(told, SPEC)["inputs"]["artifacts"]["model"]["artifacts"]
    assert model["uri"] == "/s3/b/1"


def test_inputs_and_outputs_are_where_the_launcher_puts_them():
    told = invocation(
        {"model": artifacts({"uri": "minio://b/1/model"})},
        {"card": artifacts({"uri": "s3://b/1/card"})},
    )
    made = complete(told, SPEC)
    assert made["inputs"]["artifacts"]["model"]["artifacts"][0]["uri"] == "/minio/b/1/model"
    assert made["outputs"]["artifacts"]["card"]["artifacts"][0]["uri"] == "/s3/b/1/card"


def test_a_task_without_artifacts_is_left_alone():
    told = {"inputs": {"parameterValues": {"folder": "x"}}, "outputs": {"outputFile": "o"}}
    assert complete(told, {}) == told


def test_outputs_know_what_the_driver_found_out():
    told = invocation(outputs={"examples": artifacts({"uri": "u", "metadata": {"kept": 1}})})
    found = {"artifacts": {"examples": artifacts({"uri": "u", "metadata": {"span": 3}})}}
    take_over(told, found)
    (examples,) = told["outputs"]["artifacts"]["examples"]["artifacts"]
    assert examples["metadata"] == {"kept": 1, "span": 3}


def test_the_platform_is_told_addresses_and_nothing_empty():
    metadata = {"current_model": "/minio/b/1/model", "blessed": 1, "version": None, "of": "gs://x"}
    made = {"artifacts": {"blessing": artifacts({"uri": "/s3/b/1/bless", "metadata": metadata})}}
    (blessing,) = restore(made)["artifacts"]["blessing"]["artifacts"]
    assert blessing["uri"] == "s3://b/1/bless"
    assert blessing["metadata"] == {
        "current_model": "minio://b/1/model",
        "blessed": 1,
        "of": "gs://x",
    }
    assert restore({"parameterValues": {"span": 1}}) == {"parameterValues": {"span": 1}}
