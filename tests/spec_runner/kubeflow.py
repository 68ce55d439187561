"""What open-source Kubeflow Pipelines 2.x does around a task, as its driver and launcher do it.

Inputs lose their types, every task gets an output `executor-logs`, hooks are not run,
Resolvers are refused. Artifacts are in a bucket of minio:// that only the launcher
reads and writes: each task finds in its folders, which have the same paths in every
container, what it declared as inputs; what lies below its outputs is kept.
"""

import json
import shutil

from pipeline.kubeflow_task.places import MOUNTS_VARIABLE
from tests.spec_runner.runner import call

SCHEME = "minio://"


class Kubeflow:
    """One installation: its artifacts stay for the next run.

    Args:
        root: Pipeline root: `minio://` with bucket and path.
        folder: Holds the bucket, and what tasks leave behind.
        call: Runs a task's command, as runner.call does.
    """

    RUN = "0f1d4c2e-6a7b-4c8d-9e0f-112233445566"

    def __init__(self, root, folder, call=call):
        self._root = root.rstrip("/")
        self._call = call
        self._folder = folder
        self.filled = {"{{$.pipeline_job_uuid}}": self.RUN}
        self.made = {}
        self._ids = 0
        self._tasks = 0

    def run_container(self, task, parameters):
        self._tasks += 1
        place = f"{self._root}/run/{task.name}/{self._tasks}"
        pod = self._folder / "pod"
        shutil.rmtree(pod, ignore_errors=True)
        inputs = {
            key: self.made[one["taskOutputArtifact"]["producerTask"]][
                one["taskOutputArtifact"]["outputArtifactKey"]
            ]
            for key, one in task.inputs.items()
        }
        for one in inputs.values():
            self._copy(self._bucket(one["uri"]), _mounted(pod, one["uri"]))
        logs = {"artifactType": {"schemaTitle": "system.Artifact"}}
        outputs = {
            key: {
                "name": key,
                "uri": f"{place}/{key}",
                "type": one["artifactType"],
                "metadata": one.get("metadata", {}),
            }
            for key, one in {**task.outputs, "executor-logs": logs}.items()
        }
        for one in outputs.values():
            _mounted(pod, one["uri"]).parent.mkdir(parents=True, exist_ok=True)
        output = _mounted(pod, place) / "output_metadata.json"
        told = {
            "inputs": {
                "artifacts": {key: {"artifacts": [one]} for key, one in inputs.items()},
                "parameterValues": parameters,
            },
            "outputs": {
                "artifacts": {key: {"artifacts": [one]} for key, one in outputs.items()},
                "outputFile": str(output),
            },
        }
        _mounted(pod, outputs["executor-logs"]["uri"]).write_text("")
        variables = {MOUNTS_VARIABLE: str(pod), **task.environment}
        self._call(task.command(), told, self._folder / f"{task.name}_{self._tasks}", **variables)
        made = json.loads(output.read_text()) if output.exists() else {}
        for key, one in outputs.items():
            said = made.get("artifacts", {}).get(key, {"artifacts": [{}]})["artifacts"][0]
            one["uri"] = said.get("uri") or one["uri"]
            one["metadata"] = {**one["metadata"], **said.get("metadata", {})}
            assert one["uri"].startswith(f"{self._root}/run/"), one
            self._copy(_mounted(pod, one["uri"]), self._bucket(one["uri"]))
        self.note(task, outputs)

    def note(self, task, made):
        """Keeps what a task made, as the metadata of the platform can say it."""
        for key, artifact in made.items():
            self._ids += 1
            metadata = {name: _stored(value) for name, value in artifact["metadata"].items()}
            metadata = {"display_name": key, "store_session_info": "{}", **metadata}
            kept = {"name": str(self._ids), "uri": artifact["uri"], "metadata": metadata}
            self.made.setdefault(task.name, {})[key] = kept

    def resolve(self, task):
        raise AssertionError(f"{task.name}: non-container and non-importer executor")

    def folder_of(self, artifact):
        """Where the bucket has an artifact."""
        return self._bucket(artifact["uri"])

    def _bucket(self, uri):
        return self._folder / "buckets" / uri.removeprefix(SCHEME)

    def _copy(self, source, target):
        """Copies files; an object store has no empty folders."""
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        for one in source.rglob("*"):
            if one.is_file():
                copy = target / one.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(one, copy)


def _mounted(pod, uri):
    return pod / "minio" / uri.removeprefix(SCHEME)


def _stored(value):
    """A value of metadata after it was stored and read again."""
    assert value is not None, "Kubeflow Pipelines has no type for null"
    if isinstance(value, list):
        return {"list": value}
    if isinstance(value, dict):
        return {"struct": value}
    return float(value) if isinstance(value, int | float) else value
