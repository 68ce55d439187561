"""What is put into the spec that TFX makes."""

import pytest

from pipeline.deploy_config import DeployConfig
from pipeline.kubeflow import spec as specs
from pipeline.kubeflow.parameters import Parameter
from pipeline.kubeflow.platform_spec import build_platform_spec
from preprocessing.errors import ConfigError


def _spec() -> dict:
    """As TFX makes it of two tasks."""
    return {
        "deploymentSpec": {
            "executors": {
                f"{name}_executor": {"container": {"image": "graft", "args": ["--x", "{{$}}"]}}
                for name in ("Trainer", "Pusher")
            }
        },
        "components": {"Trainer": {"executorLabel": "Trainer_executor"}, "Pusher": {}},
        "root": {
            "dag": {
                "tasks": {
                    name: {
                        "componentRef": {"name": name},
                        "cachingOptions": {"enableCache": True},
                    }
                    for name in ("Trainer", "Pusher")
                }
            }
        },
    }


def _deploy(**more) -> DeployConfig:
    return DeployConfig(image="graft", pipeline_root="gs://acme/root", **more)


def _container(spec: dict, task: str) -> dict:
    return dict(specs.containers(spec))[task]


def test_a_parameter_goes_from_the_pipeline_to_its_tasks_and_over_their_properties():
    spec = _spec()
    target = "custom_config:trainer.train.epochs"
    places = {"Trainer": target, "Pusher": "config:epochs"}
    specs.add_parameters(spec, [Parameter("epochs", "NUMBER_INTEGER", 40, places)])
    assert spec["root"]["inputDefinitions"]["parameters"] == {
        "epochs": {"parameterType": "NUMBER_INTEGER", "defaultValue": 40, "isOptional": True}
    }
    task = spec["root"]["dag"]["tasks"]["Trainer"]
    assert task["inputs"]["parameters"] == {"epochs": {"componentInputParameter": "epochs"}}
    assert spec["components"]["Trainer"]["inputDefinitions"]["parameters"] == {
        "epochs": {"parameterType": "NUMBER_INTEGER"}
    }
    assert _container(spec, "Trainer")["args"][-2:] == ["--lay_over", f"epochs={target}"]
    assert _container(spec, "Pusher")["args"][-2:] == ["--lay_over", "epochs=config:epochs"]


@pytest.mark.parametrize(
    ("target", "placeholder"),
    [("vertex", "{{$.pipeline_job_name}}"), ("kubeflow", "{{$.pipeline_job_uuid}}")],
)
def test_what_writes_down_its_run_is_told_it_by_the_platform(target, placeholder):
    spec = _spec()
    specs.name_run(spec, target)
    tasks = spec["root"]["dag"]["tasks"]
    told = {"graft_run_id": {"runtimeValue": {"constant": placeholder}}}
    assert tasks["Pusher"]["inputs"]["parameters"] == told
    declared = spec["components"]["Pusher"]["inputDefinitions"]["parameters"]
    assert declared == {"graft_run_id": {"parameterType": "STRING"}}
    assert "inputs" not in tasks["Trainer"]


def test_every_task_gets_the_environment_and_legacy_keras():
    spec = _spec()
    specs.add_environment(spec, _deploy(env={"TZ": "UTC"}))
    assert all(
        container["env"]
        == [{"name": "TF_USE_LEGACY_KERAS", "value": "1"}, {"name": "TZ", "value": "UTC"}]
        for _, container in specs.containers(spec)
    )


MACHINES = {
    "default": {"cpu": 2, "memory_gb": 8},
    "Trainer": {
        "machine_type": "n1-standard-8",
        "accelerator": {"type": "NVIDIA_TESLA_T4", "count": 2},
    },
}


@pytest.mark.parametrize(
    ("target", "name"), [("vertex", "NVIDIA_TESLA_T4"), ("kubeflow", "nvidia.com/gpu")]
)
def test_a_task_gets_its_own_machine_and_all_others_the_default(target, name):
    spec = _spec()
    specs.add_machines(spec, _deploy(machines=MACHINES), target)
    assert _container(spec, "Pusher")["resources"] == {"cpuLimit": 2, "memoryLimit": 8}
    assert _container(spec, "Trainer")["resources"] == {
        "cpuLimit": 8,
        "memoryLimit": 30,
        "accelerator": {"type": name, "count": "2"},
    }


def test_a_machine_for_a_task_that_there_is_none_of_is_a_mistake():
    with pytest.raises(ConfigError) as caught:
        specs.add_machines(_spec(), _deploy(machines={"Trainor": {"cpu": 2}}), "vertex")
    assert str(caught.value) == (
        "deploy.machines: the pipeline has no such component\n"
        "  Received: 'Trainor'\n"
        "  Valid: default, Pusher, Trainer\n"
        "  Did you mean 'Trainer'?"
    )


def test_a_push_is_never_taken_over_from_an_earlier_run():
    spec = _spec()
    specs.set_caching(spec, "vertex")
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks["Pusher"]["cachingOptions"] == {}
    assert tasks["Trainer"]["cachingOptions"] == {"enableCache": True}


KUBERNETES = {
    "machines": MACHINES,
    "labels": {"team": "vision"},
    "secrets": ({"env": "HF_TOKEN", "name": "hf", "key": "token"},),
    "volumes": ({"claim": "data", "mount": "/data"},),
    "kubeflow": {"image_pull_secrets": ("registry",)},
}


def test_kubernetes_is_told_of_secrets_volumes_nodes_and_labels():
    document = build_platform_spec(_spec(), _deploy(**KUBERNETES))
    executors = document["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    common = {
        "secretAsEnv": [
            {"secretName": "hf", "keyToEnv": [{"secretKey": "token", "envVar": "HF_TOKEN"}]}
        ],
        "pvcMount": [{"constant": "data", "mountPath": "/data"}],
        "imagePullSecret": [{"secretName": "registry"}],
        "podMetadata": {"labels": {"team": "vision"}},
    }
    nodes = {
        "node.kubernetes.io/instance-type": "n1-standard-8",
        "cloud.google.com/gke-accelerator": "nvidia-tesla-t4",
    }
    assert executors == {
        "Pusher_executor": common,
        "Trainer_executor": {**common, "nodeSelector": {"labels": nodes}},
    }


def test_without_any_of_these_there_is_no_second_document():
    assert build_platform_spec(_spec(), _deploy()) is None


def test_kubeflow_s_extension_for_kubernetes_knows_every_word_of_it():
    kubernetes = pytest.importorskip("kfp.kubernetes", reason="kfp-kubernetes is not installed")
    from google.protobuf import json_format

    document = build_platform_spec(_spec(), _deploy(**KUBERNETES))
    for executor in document["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        config = kubernetes.kubernetes_executor_config_pb2.KubernetesExecutorConfig()
        json_format.ParseDict(executor, config)


def test_what_takes_vectors_declares_the_raw_examples_that_they_name():
    def source(task, key):
        return {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": key}}

    vectors, raw = source("Embedder", "embeddings"), source("ExampleGen", "examples")
    inputs = {"Trainer": {"examples": vectors}, "ModelCard": {"embeddings": vectors, "x": raw}}
    kind = {"artifactType": {"schemaTitle": "tfx.Examples"}}
    tasks = {
        name: {"componentRef": {"name": name}, "inputs": {"artifacts": dict(each)}}
        for name, each in inputs.items()
    }
    definitions = {name: {"inputDefinitions": {"artifacts": {}}} for name in inputs}
    made = {"ExampleGen": {"outputDefinitions": {"artifacts": {"examples": kind}}}}
    spec = {"root": {"dag": {"tasks": tasks}}, "components": {**definitions, **made}}
    specs.declare_raw_examples(spec)
    assert tasks["Trainer"]["inputs"]["artifacts"] == {"examples": vectors, "raw_examples": raw}
    assert definitions["Trainer"]["inputDefinitions"]["artifacts"] == {"raw_examples": kind}
    assert tasks["ModelCard"]["inputs"]["artifacts"] == inputs["ModelCard"]
