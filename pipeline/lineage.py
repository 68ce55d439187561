"""What a run made, asked of ML Metadata: the artifacts of each of its components."""

from typing import Any

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.config import Config
from pipeline.metadata_store import open_store

_OUTPUT_EVENTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


class Lineage:
    """The artifacts of one pipeline run, by component and output key."""

    def __init__(self, config: Config, run_id: str) -> None:
        """Reads them.

        Args:
            config: The config that the run was made with.
            run_id: The pipeline run; outputs of cached components count too.
        """
        store = open_store(config)
        self._outputs: dict[tuple[str, str], metadata_store_pb2.Artifact] = {}
        context = store.get_context_by_type_and_name("pipeline_run", run_id)
        executions = store.get_executions_by_context(context.id) if context else []
        nodes = {one.id: node_of(store, one.id) for one in executions}
        if not nodes:
            return
        events = [e for e in store.get_events_by_execution_ids(nodes) if e.type in _OUTPUT_EVENTS]
        artifacts = {
            one.id: one for one in store.get_artifacts_by_id([e.artifact_id for e in events])
        }
        for event in events:
            key = next((step.key for step in event.path.steps if step.HasField("key")), "")
            self._outputs[nodes[event.execution_id], key] = artifacts[event.artifact_id]

    def uri(self, node: str, key: str) -> str | None:
        """Folder of an output, or None where the component made none.

        Args:
            node: The component's id.
            key: The output's key.
        """
        artifact = self._outputs.get((node, key))
        return artifact.uri if artifact else None

    def property(self, node: str, key: str, name: str) -> Any:
        """A custom property of an output, or None where there is none."""
        artifact = self._outputs.get((node, key))
        if artifact is None or name not in artifact.custom_properties:
            return None
        value = artifact.custom_properties[name]
        plain = getattr(value, value.WhichOneof("value"))
        if value.HasField("struct_value"):
            return plain.fields["__value__"]
        return plain


def node_of(store: metadata_store.MetadataStore, execution_id: int) -> str:
    """The component's id: the name of the node context, less the pipeline's."""
    for context in store.get_contexts_by_execution(execution_id):
        if context.type == "node":
            return context.name.split(".", 1)[1]
    return ""
