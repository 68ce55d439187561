"""Completes the PipelineSpec that TFX makes: parameters, machines, environment, caching.

TFX drops the defaults of parameters, cannot lay them over JSON, and knows no
environment; so all of these are put into the compiled spec, which is plain JSON.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.deploy_config import Accelerator, DeployConfig, Machine, Target
from pipeline.kubeflow.parameters import Parameter
from pipeline.kubeflow_task.run_id import PLACEHOLDERS, RUN_ID
from preprocessing.errors import ConfigError, explain
from preprocessing.keras_mode import ACCEPTED, VARIABLE

Spec = dict[str, Any]

DEFAULT_MACHINE = "default"
# What these write depends on more than a platform sees: data, and what is served or blessed.
NEVER_CACHED = (
    "ExampleGen",
    "ImportExampleGen",
    "PredictExampleGen",
    "Baseline",
    "Remember",
    "Pusher",
)
# What these make says of which run it is.
NAMING_THE_RUN = ("ModelCard", "Pusher")


def containers(spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Yields the name and the container of each task that has one."""
    for label, executor in spec["deploymentSpec"]["executors"].items():
        if "container" in executor:
            yield label.removesuffix("_executor"), executor["container"]


def add_parameters(spec: Spec, parameters: Iterable[Parameter]) -> None:
    """Makes parameters inputs of the pipeline and of the tasks that they change.

    Args:
        spec: A PipelineSpec, changed in place.
        parameters: With the defaults to be written.
    """
    by_name = dict(containers(spec))
    for one in parameters:
        definition = {
            "parameterType": one.type,
            "defaultValue": one.default,
            "isOptional": True,
        }
        _inputs(spec["root"], "inputDefinitions")[one.name] = definition
        for name, place in one.places.items():
            _give(spec, name, one.name, one.type, {"componentInputParameter": one.name})
            by_name[name]["args"] += ["--lay_over", f"{one.name}={place}"]


def name_run(spec: Spec, target: Target) -> None:
    """Tells the tasks that write it down which run they are of, as `graft submit` calls it."""
    for name, _ in containers(spec):
        if name in NAMING_THE_RUN:
            value = {"runtimeValue": {"constant": PLACEHOLDERS[target]}}
            _give(spec, name, RUN_ID, "STRING", value)


def _give(spec: Spec, task: str, name: str, kind: str, source: Spec) -> None:
    """Makes a parameter one of a task's inputs."""
    around = spec["root"]["dag"]["tasks"][task]
    component = spec["components"][around["componentRef"]["name"]]
    _inputs(component, "inputDefinitions")[name] = {"parameterType": kind}
    _inputs(around, "inputs")[name] = source


def _inputs(around: Spec, key: str) -> Spec:
    return around.setdefault(key, {}).setdefault("parameters", {})


def add_environment(spec: Spec, deploy: DeployConfig) -> None:
    """Gives every task the variables of the config, and the Keras that all of ours needs."""
    variables = {VARIABLE: ACCEPTED[0], **deploy.env}
    for _, container in containers(spec):
        container["env"] = [{"name": name, "value": value} for name, value in variables.items()]


def add_machines(spec: Spec, deploy: DeployConfig, target: Target) -> None:
    """Limits what tasks get.

    Raises:
        ConfigError: If the config names a task that there is none of.
    """
    by_name = dict(containers(spec))
    for name in deploy.machines:
        if name not in by_name and name != DEFAULT_MACHINE:
            what = "deploy.machines: the pipeline has no such component"
            raise ConfigError(explain(what, name, [DEFAULT_MACHINE, *sorted(by_name)]))
    for name, container in by_name.items():
        resources = _resources(machine_of(name, deploy), target)
        if resources:
            container["resources"] = resources


def machine_of(task: str, deploy: DeployConfig) -> Machine:
    """What a task gets: its own, or the default."""
    return deploy.machines.get(task) or deploy.machines.get(DEFAULT_MACHINE) or Machine()


def _resources(machine: Machine, target: Target) -> Spec:
    cpus, memory = machine.limits
    resources: Spec = {}
    if cpus:
        resources["cpuLimit"] = cpus
    if memory:
        resources["memoryLimit"] = memory
    if machine.accelerator:
        kind = accelerator_type(machine.accelerator, target)
        resources["accelerator"] = {"type": kind, "count": str(machine.accelerator.count)}
    return resources


def accelerator_type(accelerator: Accelerator, target: Target) -> str:
    """Kubeflow takes the type for the name of a resource of Kubernetes."""
    if target == "kubeflow" and "/" not in accelerator.type:
        return "nvidia.com/gpu"
    return accelerator.type


def set_caching(spec: Spec, target: Target) -> None:
    """Has no task's result taken over that depends on what the platform does not look at."""
    for name, task in spec["root"]["dag"]["tasks"].items():
        # Vertex has its driver look at the files first.
        looked_at = target == "vertex" and name == "ImportExampleGen"
        if name in NEVER_CACHED and not looked_at:
            task["cachingOptions"] = {}


def drop_drivers(spec: Spec) -> None:
    """Leaves out what Kubeflow does not run; our entry point does it instead."""
    for _, container in containers(spec):
        container.pop("lifecycle", None)


def declare_raw_examples(spec: Spec) -> None:
    """Has Kubeflow's launcher copy the raw examples to tasks that find them through vectors.

    It copies to a task what that declares as inputs; our entry point leaves out those
    that TFX was not compiled with.
    """
    tasks, name = spec["root"]["dag"]["tasks"], "raw_examples"
    raw = {"producerTask": "ExampleGen", "outputArtifactKey": "examples"}
    made = spec["components"]["ExampleGen"]["outputDefinitions"]["artifacts"]["examples"]
    for task in tasks.values():
        inputs = task.get("inputs", {}).get("artifacts", {})
        sources = [one["taskOutputArtifact"] for one in inputs.values()]
        if raw not in sources and any(one["producerTask"] == "Embedder" for one in sources):
            inputs[name] = {"taskOutputArtifact": raw}
            declared = spec["components"][task["componentRef"]["name"]]["inputDefinitions"]
            declared["artifacts"][name] = {"artifactType": made["artifactType"]}
