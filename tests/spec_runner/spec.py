"""A compiled spec as a platform reads it, JSON and YAML alike, by PipelineSpec's names."""

import json
from pathlib import Path

import yaml


def read_spec(path, places=None):
    """Reads what `graft compile` wrote.

    Args:
        path: A PipelineJob as JSON, or a PipelineSpec as YAML.
        places: Folders that stand for addresses such as gs://bucket.
    """
    text = Path(path).read_text(encoding="utf-8")
    for address, folder in (places or {}).items():
        text = text.replace(address, str(folder))
    read = json.loads(text) if Path(path).suffix == ".json" else next(yaml.safe_load_all(text))
    return Spec(read.get("pipelineSpec", read))


class Task:
    """One task of a spec."""

    def __init__(self, name, spec):
        self.name = name
        self.task = spec["root"]["dag"]["tasks"][name]
        component = spec["components"][self.task["componentRef"]["name"]]
        executors = spec["deploymentSpec"]["executors"]
        self.executor = executors[component["executorLabel"]]
        self.inputs = self.task.get("inputs", {}).get("artifacts", {})
        self.parameters = self.task.get("inputs", {}).get("parameters", {})
        self.declared = component.get("inputDefinitions", {}).get("parameters", {})
        self.outputs = component.get("outputDefinitions", {}).get("artifacts", {})

    @property
    def needs(self):
        made = {one["taskOutputArtifact"]["producerTask"] for one in self.inputs.values()}
        return made | set(self.task.get("dependentTasks", []))

    def command(self, hook=None):
        """The task's own command line, or that of what runs before it, if there is one."""
        container = self.executor["container"]
        if hook:
            container = container.get("lifecycle", {}).get(hook)
        return container and [*container.get("command", []), *container.get("args", [])]

    @property
    def environment(self):
        return {one["name"]: one["value"] for one in self.executor["container"].get("env", [])}


class Spec:
    """A whole spec."""

    def __init__(self, spec):
        self.name = spec["pipelineInfo"]["name"]
        self.tasks = {name: Task(name, spec) for name in spec["root"]["dag"]["tasks"]}
        self._root = spec["root"].get("inputDefinitions", {}).get("parameters", {})

    def in_order(self):
        """The tasks, each after all that it needs."""
        left, done = dict(self.tasks), set()
        while left:
            ready = [name for name, task in left.items() if task.needs <= done]
            assert ready, f"these tasks wait for each other, or for none: {sorted(left)}"
            for name in ready:
                yield left.pop(name)
            done.update(ready)

    def parameters(self, task, given, filled):
        """The values that a task gets, numbers as JSON has them.

        Args:
            task: One of them.
            given: The run's own.
            filled: What the platform puts in the place of a placeholder.
        """
        values = {
            name: one["defaultValue"]
            for name, one in task.declared.items()
            if "defaultValue" in one
        }
        for name, source in task.parameters.items():
            if "componentInputParameter" in source:
                key = source["componentInputParameter"]
                values[name] = given[key] if key in given else self._root[key]["defaultValue"]
            else:
                value = source["runtimeValue"]["constant"]
                values[name] = filled.get(value, value) if isinstance(value, str) else value
        numbers = (int, float)
        return {
            name: float(value)
            if isinstance(value, numbers) and not isinstance(value, bool)
            else value
            for name, value in values.items()
        }
