"""What Vertex AI Pipelines does around a task of TFX.

Inputs have types; a hook may say more of inputs and outputs before the task
starts; Resolvers are queries that the platform answers itself. Artifacts that are
under gs:// lie in a folder.
"""

import json
import re

from tests.spec_runner.runner import call


class Vertex:
    """One project: its artifacts stay for the next run.

    Args:
        root: Pipeline root, a folder.
    """

    HOOK = "preCacheCheck"
    RUN = "digits-20270101-030000-1a2b"

    def __init__(self, root):
        self.root = root
        self.filled = {"{{$.pipeline_job_name}}": self.RUN}
        self.made = {}
        self.store = []
        self._tasks = 0

    def run_container(self, task, parameters):
        self._tasks += 1
        folder = self.root / "run" / f"{task.name}_{self._tasks}"
        told = self._executor_input(task, parameters, folder)
        for key in task.outputs:
            # An object store needs no folders.
            (folder / key).mkdir(parents=True)
        output = folder / "executor_output.json"
        hook = task.command(self.HOOK)
        if hook:
            call(hook, told, folder)
            found = json.loads(output.read_text())
            told["inputs"]["parameterValues"].update(found.get("parameterValues", {}))
            self._merge(told, found)
        call(task.command(), told, folder, **task.environment)
        made = json.loads(output.read_text())
        self._merge(told, made)
        outputs = told["outputs"]["artifacts"]
        self.note(task, {key: one["artifacts"][0] for key, one in outputs.items()})

    def note(self, task, made):
        """Keeps what a task made, under names that the platform gives."""
        for key, artifact in made.items():
            kind = task.outputs[key]["artifactType"]
            name = f"projects/1/locations/x/metadataStores/default/artifacts/{len(self.store) + 1}"
            metadata = {
                **task.outputs[key].get("metadata", {}),
                **(artifact.get("metadata") or {}),
            }
            self.store.append({**artifact, "name": name, "type": kind, "metadata": metadata})
            self.made.setdefault(task.name, {})[key] = [self.store[-1]]

    def resolve(self, task):
        """Answers the queries of a Resolver: the newest that fits, or none."""
        queries = task.executor["resolver"]["outputArtifactQueries"]
        inputs = self._inputs(task)
        for key, query in queries.items():
            wanted = _fill_in(query["filter"], inputs)
            found = [one for one in reversed(self.store) if wanted and _fits(one, wanted)]
            self.made.setdefault(task.name, {})[key] = found[:1]

    def _inputs(self, task):
        sources = {key: one["taskOutputArtifact"] for key, one in task.inputs.items()}
        return {
            key: self.made[one["producerTask"]][one["outputArtifactKey"]]
            for key, one in sources.items()
        }

    def _executor_input(self, task, parameters, folder):
        inputs = {key: {"artifacts": found} for key, found in self._inputs(task).items()}
        outputs = {
            key: {
                "artifacts": [
                    {
                        "name": f"{task.name}/{key}",
                        "uri": str(folder / key),
                        "type": one["artifactType"],
                        "metadata": one.get("metadata", {}),
                    }
                ]
            }
            for key, one in task.outputs.items()
        }
        return {
            "inputs": {"artifacts": inputs, "parameterValues": parameters},
            "outputs": {
                "artifacts": outputs,
                "outputFile": str(folder / "executor_output.json"),
            },
        }

    def _merge(self, told, made):
        for key, one in made.get("artifacts", {}).items():
            mine = told["outputs"]["artifacts"][key]["artifacts"][0]
            said = one["artifacts"][0]
            mine["uri"] = said.get("uri") or mine["uri"]
            mine["metadata"] = {**mine.get("metadata", {}), **said.get("metadata", {})}


def _title(artifact):
    kind = artifact["type"]
    return kind.get("schemaTitle") or re.search(r"title: (\S+)", kind["instanceSchema"])[1]


def _fill_in(query, inputs):
    """A query with the metadata of an input in it; None where there is no such input."""
    placeholder = r"\{\{\$\.inputs\.artifacts\['(\w+)'\]\.metadata\['(\w+)'\]\}\}"
    for key, name in re.findall(placeholder, query):
        if not inputs[key]:
            return None
        query = re.sub(placeholder, str(inputs[key][0]["metadata"][name]), query, count=1)
    return query


def _fits(artifact, query):
    for term in query.split(" AND "):
        key, _, value = term.partition("=")
        if key == "schema_title":
            fits = _title(artifact) == value.strip('"')
        elif key == "name":
            fits = artifact["name"] == value.strip('"')
        elif key == "state":
            fits = value == "LIVE"
        else:
            _, name, kind = key.split(".")
            assert kind == "number_value", term
            fits = artifact["metadata"].get(name) == float(value)
        if not fits:
            return False
    return True
